"""Release what is held in a session, or send it back: bound to the head, or the edit, that the person saw."""

from __future__ import annotations

from orchestrator.domain.held import HeldPush, HeldText, PushStage
from orchestrator.domain.ids import SHORTEST_SHA, SessionId, short_sha
from orchestrator.domain.outside_text import clean
from orchestrator.domain.person import Actor
from orchestrator.domain.session import Session, SetupStep, WantedState
from orchestrator.domain.when import clock
from orchestrator.errors import BadInput, Conflict, NotFound
from orchestrator.lifecycle import holding, outsiders
from orchestrator.lifecycle.draft import Draft
from orchestrator.services import ended
from orchestrator.services.core import Core

MOST_WORDS = 4_000


async def release_push(core: Core, session_id: SessionId, *, head: str, by: Actor) -> Session:
    """Let the push that was shown go out, or be tried anew where the forge refused it; the ring brings it out.

    Raises `Conflict` for a newer head.
    """
    await ended.refuse(core, session_id)

    def how(draft: Draft) -> None:
        holding.release(draft, push_at(draft.session, head), by)

    shown = push_at(core.fleet.get(session_id), head)
    session = await core.fleet.change(session_id, how)
    await core.audit(by, "release", session_id, shown.head, shown.reasons or shown.why)
    core.fleet.wake(session_id)
    return session


async def send_back(core: Core, session_id: SessionId, *, head: str, words: str, by: Actor) -> Session:
    """Refuse the push that was shown; the agent is told. `head` empty: the one that waits now."""
    await ended.refuse(core, session_id)
    said = clean(words).strip()
    if len(said) > MOST_WORDS:
        msg = f"that has {len(said)} characters; at most {MOST_WORDS} are taken."
        raise BadInput(msg, session=session_id)

    def how(draft: Draft) -> None:
        holding.send_back(draft, push_at(draft.session, head or shown.head), by, said)

    shown = push_at(core.fleet.get(session_id), head)
    session = await core.fleet.change(session_id, how)
    await core.audit(by, "send-back", session_id, shown.head, said)
    core.fleet.wake(session_id)
    return session


async def release_text(core: Core, session_id: SessionId, *, text: str, by: Actor) -> Session:
    """Let exactly this edit of an outsider's text through to the agent. Raises `NotFound`, `Conflict`."""
    await ended.refuse(core, session_id)

    def how(draft: Draft) -> None:
        started = draft.session.setup.step is SetupStep.READY
        outsiders.release(draft, _text(draft.session, text), by, send=started)

    shown = _text(core.fleet.get(session_id), text)
    session = await core.fleet.change(session_id, how)
    await core.audit(by, "release-text", session_id, text=f"{shown.id} {shown.place}: {shown.text}")
    core.fleet.wake(session_id)
    return session


def _text(session: Session, name: str) -> HeldText:
    found = next((text for text in session.held.texts if text.id == name.strip().lower()), None)
    if found is None:
        msg = f"no text {name!r} of it is held."
        raise NotFound(msg, session=session.id, next_step=f"`ao held {session.id}` lists them.")
    if found.by is not None:
        msg = f"{found.words} was released by {found.by} at {clock(found.at)}."
        raise Conflict(msg, session=session.id)
    if found.gone:
        msg = f"{found.words} was edited or taken away since."
        raise Conflict(msg, session=session.id, next_step=f"`ao held {session.id}` shows what it is now.")
    return found


def push_at(session: Session, head: str = "") -> HeldPush:
    """The push that waits for a person, if its head is `head` (at least 7 hex digits of it) and still the newest.

    Also one that the forge refused: it may be released again, or sent back.

    Raises `NotFound` when none waits, `BadInput` for no SHA, `Conflict` when it was decided or overtaken.
    """
    if head and (len(head) < SHORTEST_SHA or any(c not in "0123456789abcdef" for c in head.lower())):
        msg = f"{head!r} is no commit: give the head that you saw, at least {SHORTEST_SHA} digits."
        raise BadInput(msg, session=session.id, next_step=f"`ao held {session.id}` shows it.")
    if session.wanted.state is WantedState.STOP:
        msg = "it is ended or ending; nothing of it is pushed any more."
        raise Conflict(msg, session=session.id, next_step=f"`ao restore {session.id}` brings it back.")
    push = session.held.push
    if push is None or not push.needs_person:
        raise _decided(session, head)
    if not push.head.startswith(head.lower()):
        msg = f"the push that is {push.stage.value} is at {short_sha(push.head)}, not at {short_sha(head)}."
        raise Conflict(msg, session=session.id, next_step=f"`ao held {session.id}` shows it.")
    if session.local_head not in {"", push.head}:
        msg = f"its branch is at {short_sha(session.local_head)} now, not at {short_sha(push.head)}."
        step = "The newer commits are looked at when the agent's turn ends."
        raise Conflict(msg, session=session.id, next_step=step)
    return push


def _decided(session: Session, head: str) -> NotFound | Conflict:
    """What became of it: a second click is told who was first."""
    for push in reversed(session.held.pushes):
        if push.head.startswith(head.lower()):
            words = {
                PushStage.RELEASED: "was released",
                PushStage.PUSHED: "was released",
                PushStage.REFUSED: "was refused by the forge; released",
                PushStage.SENT_BACK: "was sent back",
            }.get(push.stage, "is overtaken")
            who = f" by {push.by} at {clock(push.at)}" if push.by is not None else ""
            return Conflict(f"the push of {short_sha(push.head)} {words}{who}.", session=session.id)
    return NotFound("no push of it is held.", session=session.id)
