"""Make an agent stop its turn; its session and its work stay."""

from __future__ import annotations

from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import Actor
from orchestrator.domain.session import RuntimeState
from orchestrator.errors import Conflict
from orchestrator.services.core import Core


async def interrupt(core: Core, session_id: SessionId, *, by: Actor) -> str:
    """Send the agent's own interrupt keys. Its next signal shows whether it stopped."""
    session = core.fleet.get(session_id)
    if session.runtime.state is not RuntimeState.ALIVE:
        msg = f"its terminal is {session.runtime.state.value}; there is nothing to interrupt."
        raise Conflict(msg, session=session_id)
    world = core.fleet.world
    keys = await world.agent(session).interrupt(world.ref(session))
    await world.runtime(session).send(world.ref(session), keys)
    await core.fleet.change(
        session_id, lambda d: d.tell("session.interrupted", f"{by} interrupted the agent", by=str(by))
    )
    core.fleet.wake(session_id)
    return "interrupt sent"
