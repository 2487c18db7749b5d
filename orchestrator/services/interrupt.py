"""Make an agent stop its turn; its session and its work stay."""

from __future__ import annotations

import asyncio

from orchestrator.domain.activity import ActivityState
from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import Actor
from orchestrator.domain.session import RuntimeState, Session
from orchestrator.errors import Conflict, TemporaryError
from orchestrator.lifecycle import speak
from orchestrator.services.core import Core

LOOKS, PAUSE = 25, 0.2
"""How often, and how many seconds apart, it is looked whether the agent stopped."""
_WORKS = frozenset({ActivityState.BUSY, ActivityState.STARTING})


async def interrupt(core: Core, session_id: SessionId, *, by: Actor) -> str:
    """Send the agent's own interrupt keys and see whether it stops; says which.

    Raises `Conflict` when there is no turn to stop, `TemporaryError` when nobody can look or a person types.
    """
    session = core.fleet.get(session_id)
    if session.runtime.state is not RuntimeState.ALIVE:
        msg = f"its terminal is {session.runtime.state.value}; there is nothing to interrupt."
        raise Conflict(msg, session=session_id)
    if (await speak.look_now(core.fleet, session)).activity.state is ActivityState.IDLE:
        # Its keys mean something else at a prompt that waits.
        msg = "its turn is over already; there is nothing to interrupt."
        raise Conflict(msg, session=session_id)
    world = core.fleet.world
    keys = await world.agent(session).interrupt(world.ref(session))
    await world.runtime(session).send(world.ref(session), keys)
    await core.fleet.change(
        session_id, lambda d: d.tell("session.interrupted", f"{by} interrupted the agent", by=str(by))
    )
    stopped = await _stops(core, session)
    core.fleet.wake(session_id)
    if not stopped:
        return "interrupt sent; the agent does not show yet that it stopped"
    return "the agent stopped and waits at its prompt"


async def _stops(core: Core, session: Session) -> bool:
    """Look until its turn is over; text of ours that it put back into its prompt is taken away."""
    for _ in range(LOOKS):
        try:
            activity = (await speak.look_now(core.fleet, session)).activity
        except TemporaryError:
            return False
        if activity.state not in _WORKS:
            if activity.draft:
                await speak.clear_own_draft(core.fleet, session, activity.draft)
            return True
        await asyncio.sleep(PAUSE)
    return False
