"""Whether a session's terminal is there, before anything is read from it or shown of it."""

from __future__ import annotations

from orchestrator.domain.look import Unseen
from orchestrator.domain.session import Session
from orchestrator.errors import NotFound, TemporaryError
from orchestrator.ports.runtime import Presence
from orchestrator.services.core import Core


async def require(core: Core, session: Session) -> None:
    """Look now: what is kept may be older. Raises `NotFound` when it is gone, with what brings it back."""
    world = core.fleet.world
    look = (await world.runtime(session).observe([world.ref(session)]))[session.id]
    if isinstance(look, Unseen):
        msg = f"its terminal could not be looked at: {look.reason}"
        raise TemporaryError(msg, session=session.id, next_step="`ao doctor` says what is missing here.")
    if look.value.presence is Presence.MISSING:
        msg = "its terminal is gone, and its agent with it."
        raise NotFound(msg, session=session.id, next_step=f"`ao restore {session.id}` starts it again.")
