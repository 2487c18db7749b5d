"""`held`: what of a session waits for a release, in full."""

from __future__ import annotations

from bot.actions.action import Access, Action, Context, Role
from bot.actions.target import SESSION, session_of
from bot.chat.held import push_buttons, push_lines
from bot.chat.message import Button, Json, Message
from bot.chat.request import Request
from orchestrator.domain.counted import counted
from orchestrator.domain.event import Level
from orchestrator.domain.held import HeldPush, HeldText
from orchestrator.domain.ids import short_sha
from orchestrator.domain.session import Session


async def run(context: Context, request: Request) -> Message:
    """The push with all its hunks, and every text as it would be sent."""
    session = await session_of(context, request)
    push, texts = waiting(session)
    lines: list[str] = []
    buttons: list[Button] = []
    steps: list[str] = []
    if push is not None:
        lines += [_push_title(push), "", *push_lines(push), ""]
        buttons += push_buttons(session, push)
        steps += _push_steps(session, push)
    for text in texts:
        lines += [
            f"Text {text.id}, {text.words} by {text.author}:",
            text.url,
            "",
            *text.text.splitlines(),
            "",
        ]
        steps.append(f"release-text {session.id} {text.id}")
    count = len(texts) + (push is not None)
    return Message(
        title=f"{counted(count, 'thing')} held in {session.id}"
        if count
        else f"Nothing is held in {session.id}.",
        lines=tuple(lines[:-1]),
        verbatim=True,
        buttons=tuple(buttons),
        level=Level.ACTION if push is not None else Level.INFO,
        next_steps=tuple(steps[:6]),
        session=session.id,
        data={
            "session": session.id,
            "push": None if push is None else _push_data(push),
            "texts": [_text_data(text) for text in texts],
        },
    )


def waiting(session: Session) -> tuple[HeldPush | None, tuple[HeldText, ...]]:
    """What nobody has decided yet."""
    push = session.held.push
    return (push if push is not None and push.needs_person else None), tuple(
        t for t in session.held.texts if t.waits
    )


def _push_title(push: HeldPush) -> str:
    return f"Push of {short_sha(push.head)}{', refused by the forge' if push.refused else ''}:"


def _push_steps(session: Session, push: HeldPush) -> list[str]:
    again = f"release {session.id} --head {short_sha(push.head)}" if push.findings else f"retry {session.id}"
    return [again, f"send-back {session.id} <text>"]


def _push_data(push: HeldPush) -> Json:
    found: list[Json] = [
        {"kind": f.kind.value, "path": f.path, "words": f.words, "hunks": f.hunks} for f in push.findings
    ]
    return {
        "id": push.id,
        "head": push.head,
        "since": push.since,
        "stage": push.stage.value,
        "refusal": push.words if push.refused else "",
        "findings": found,
    }


def _text_data(text: HeldText) -> Json:
    return {
        "id": text.id,
        "place": text.place,
        "author": text.author,
        "url": text.url,
        "since": text.since,
        "text": text.text,
    }


ACTION = Action(
    verb="held",
    summary="show what of a session waits for a release: a push with its hunks, texts by outsiders",
    role=Role.VIEWER,
    access=Access.READS,
    run=run,
    arguments=(SESSION,),
    examples=("held demo-1",),
)
