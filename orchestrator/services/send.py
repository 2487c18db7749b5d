"""Tell an agent something: queued at once, typed when its prompt waits, followed to the end."""

from __future__ import annotations

from orchestrator.domain.ids import SessionId
from orchestrator.domain.message import Message
from orchestrator.domain.outside_text import clean
from orchestrator.domain.person import Actor
from orchestrator.domain.session import WantedState
from orchestrator.errors import BadInput, Conflict
from orchestrator.lifecycle.draft import Draft
from orchestrator.services import ended
from orchestrator.services.core import Core

MOST = 100_000


async def send(core: Core, session_id: SessionId, text: str, *, by: Actor, source: str = "") -> Message:
    """Queue a message; `source` is a chat's own name for it. Raises `BadInput` for an empty or too long one, `Conflict` for an ended session."""
    words = clean(text).strip()
    if not words:
        msg = "the message is empty."
        raise BadInput(msg, session=session_id)
    if len(words) > MOST:
        msg = f"the message has {len(words)} characters; at most {MOST} are taken."
        raise BadInput(msg, session=session_id)
    await ended.refuse(core, session_id)
    queued: list[Message] = []

    def how(draft: Draft) -> None:
        if draft.session.wanted.state is WantedState.STOP:
            msg = "it is ended or ending."
            raise Conflict(msg, session=session_id, next_step=f"`ao restore {session_id}` brings it back.")
        queued.append(draft.enqueue(words, by=str(by), source=source))

    await core.fleet.change(session_id, how)
    core.fleet.wake(session_id)
    return queued[0]
