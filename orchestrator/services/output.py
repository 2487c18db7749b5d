"""The last lines of an agent's terminal."""

from __future__ import annotations

from orchestrator.domain.ids import SessionId
from orchestrator.domain.look import Unseen
from orchestrator.domain.outside_text import clean, mask
from orchestrator.errors import TemporaryError
from orchestrator.ports.runtime import Scrollback
from orchestrator.services import terminal
from orchestrator.services.core import Core

MOST_LINES = 2_000


async def output(core: Core, session_id: SessionId, lines: int = 40) -> str:
    """Cleaned and masked: it is outside text. Raises `NotFound` without a terminal."""
    session = core.fleet.get(session_id)
    runtime = core.fleet.world.runtime(session)
    ref = core.fleet.world.ref(session)
    await terminal.require(core, session)
    wanted = max(1, min(lines, MOST_LINES))
    if isinstance(runtime, Scrollback):
        return mask(clean(await runtime.output(ref, wanted)))
    look = (await runtime.observe([ref], [session_id]))[session_id]
    if isinstance(look, Unseen):
        msg = f"its terminal could not be read: {look.reason}"
        raise TemporaryError(msg, session=session_id)
    return mask(clean("\n".join((look.value.screen or "").splitlines()[-wanted:])))
