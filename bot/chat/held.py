"""What is held in a session as people see it: why, what exactly, and the buttons that decide. Pure."""

from __future__ import annotations

from bot.chat.message import Button, Field, Message
from orchestrator.domain.counted import counted
from orchestrator.domain.event import Level
from orchestrator.domain.held import HeldPush, HeldText, PushStage
from orchestrator.domain.ids import short_sha
from orchestrator.domain.outside_text import excerpt, one_line
from orchestrator.domain.session import Session, WantedState
from orchestrator.domain.when import clock

MOST_SHOWN = 2_600
"""Characters of a thread's post; `ao held` has all of it."""


def push_message(session: Session, push: HeldPush) -> Message:
    """As it stands in the thread: with the hunks and its buttons while it waits, then what became of it."""
    at = short_sha(push.head)
    if push.refused:
        return _refused_message(session, push)
    if not push.waits:
        outcome = _outcome(push)
        return Message(
            title=f"🛑 Push of {at} was held",
            lines=(*(f"• {finding.words}" for finding in push.findings[:10]), *outcome),
            session=session.id,
        )
    number = counted(len(push.findings), "thing")
    whole = "\n".join(push_lines(push))
    named: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    if len(whole) > MOST_SHOWN:  # nothing hides behind what is long: every reason stands first
        named = (*(f"● {one_line(finding.words, 100)}" for finding in push.findings[:10]), "")
        left = len(push.findings) - 10
        more = (*((f"… and {left} more",) if left > 0 else ()), f"All of it: ao held {session.id}")
    shown = excerpt(whole, MOST_SHOWN - sum(map(len, named))).splitlines()
    return Message(
        title=f"🛑 Push of {at} is held: {number} to look at",
        lines=(*named, *shown, *more),
        verbatim=True,
        buttons=push_buttons(session, push),
        level=Level.ACTION,
        session=session.id,
    )


def _refused_message(session: Session, push: HeldPush) -> Message:
    """What the forge said, what to do about it, and the buttons that try it again or give it back."""
    by = f"It was released by {push.by.placed} at {clock(push.at)}." if push.by and push.findings else ""
    return Message(
        title=f"⚠️ Push of {short_sha(push.head)} was refused by the forge",
        lines=(*push_lines(push), *((by,) if by else ())),
        buttons=push_buttons(session, push),
        level=Level.ACTION,
        session=session.id,
    )


def push_lines(push: HeldPush) -> tuple[str, ...]:
    """Every reason with what it shows; first what the forge said to it, where it refused."""
    lines: list[str] = [*excerpt(push.words, 1000).splitlines(), ""] if push.refused else []
    for finding in push.findings:
        lines += [f"● {finding.words}", *finding.hunks.splitlines(), ""]
    return tuple(lines[:-1])


def _outcome(push: HeldPush) -> tuple[str, ...]:
    who = f"{push.by.placed if push.by else 'ao'} at {clock(push.at)}"
    words = {
        PushStage.RELEASED: f"✅ {'Released' if push.findings else 'Tried again'} by {who}; it goes out next.",
        PushStage.PUSHED: f"✅ {'Released' if push.findings else 'Tried again'} by {who}, and pushed."
        if push.by
        else "✅ Pushed.",
        PushStage.SENT_BACK: f"↩️ Sent back by {who}.",
        PushStage.OVERTAKEN: f"⏭️ Overtaken by {one_line(push.words, 20)}.",
    }[push.stage]
    said = push.words if push.stage is PushStage.SENT_BACK else ""
    return (words, *excerpt(said, 1000).splitlines())


def push_buttons(session: Session, push: HeldPush) -> tuple[Button, ...]:
    """Bound to the head that is shown; none once a newer commit has disarmed them."""
    over = session.wanted.state is WantedState.STOP
    if over or not push.needs_person or session.local_head not in {"", push.head}:
        return ()
    bound = {"session": str(session.id), "head": push.head}
    if push.findings:
        facts = push_facts(session, push)
        out = Button(label="Release this push", verb="release", arguments=bound, confirm=facts)
    else:  # nothing in it was ever held: no approver is needed
        out = Button(label="Push again", verb="retry", arguments={"session": str(session.id)})
    return (
        out,
        Button(label="Send back", verb="send-back", arguments=bound, ask="What should the agent change?"),
    )


def push_facts(session: Session, push: HeldPush) -> tuple[str, ...]:
    """What is read before a release."""
    left = len(push.findings) - 8
    return (
        f"{session.id} at {short_sha(push.head)}, to {one_line(session.branch, 80)}",
        *(one_line(finding.words, 160) for finding in push.findings[:8]),
        *((f"and {left} more",) if left > 0 else ()),
        *((f"The forge refused it: {one_line(push.words, 200)}",) if push.refused else ()),
        "It is pushed as it is; the same in later commits passes too."
        + (" The pull request is opened with it." if push.opens and session.change is None else ""),
    )


def text_message(session: Session, text: HeldText) -> Message:
    """Exactly what would be sent, with the button that sends it; then who did."""
    where = f"{text.words} by {one_line(text.author, 60) or 'somebody unknown'}"
    link = (Field("link", one_line(text.url, 300)),) if text.url else ()
    if not text.waits:
        who = f"{text.by.placed} at {clock(text.at)}" if text.by else ""
        done = f"✅ Released to the agent by {who}." if who else "⏭️ It was edited or taken away since."
        return Message(title=f"📨 Held: {where}", lines=(done,), fields=link, session=session.id)
    shown = excerpt(text.text, MOST_SHOWN).splitlines()
    more = (f"All of it: ao held {session.id}",) if len(text.text) > MOST_SHOWN else ()
    needed = session.held.task_waits == text.id
    return Message(
        title=f"📨 Held: {where}, who is no member of the project",
        lines=(*shown, *more),
        verbatim=True,
        fields=link,
        buttons=(text_button(session, text),),
        level=Level.ACTION if needed else Level.INFO,
        session=session.id,
    )


def text_button(session: Session, text: HeldText) -> Button:
    """Releases exactly this edit."""
    return Button(
        label="Release to agent",
        verb="release-text",
        arguments={"session": str(session.id), "id": text.id},
        confirm=(
            f"{text.words} by {one_line(text.author, 60)}",
            "The agent gets it as it is shown, labelled as a text from outside.",
        ),
    )
