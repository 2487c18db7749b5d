"""Make an agent stop its turn; its session and its work stay."""

from __future__ import annotations

import asyncio

from orchestrator.domain.activity import ActivityState
from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import Actor
from orchestrator.domain.session import RuntimeState, Session
from orchestrator.errors import Conflict, TemporaryError
from orchestrator.lifecycle import delivery, speak
from orchestrator.services.core import Core

LOOKS, PAUSE = 25, 0.2
"""How often, and how many seconds apart, it is looked whether the agent stopped."""
_ENDED = frozenset({ActivityState.LIMITED, ActivityState.BLOCKED})
"""With a prompt that waits, an error has ended its turn; else it is trying again."""
_WORKS = frozenset({ActivityState.BUSY, ActivityState.STARTING})


async def interrupt(core: Core, session_id: SessionId, *, by: Actor) -> str:
    """Send the agent's own interrupt keys and see whether it stops; says which.

    Raises `Conflict` when there is no turn to stop, `TemporaryError` when nobody can look or a person types.
    """
    session = core.fleet.get(session_id)
    if session.runtime.state is not RuntimeState.ALIVE:
        msg = f"its terminal is {session.runtime.state.value}; there is nothing to interrupt."
        raise Conflict(msg, session=session_id)
    activity = (await speak.look_now(core.fleet, session)).activity
    if activity.state is ActivityState.IDLE or (activity.state in _ENDED and delivery.at_prompt(activity)):
        # Its keys mean something else at a prompt that waits.
        why = f" ({activity.trouble.value})" if activity.trouble else ""
        msg = f"its turn is over already{why}; there is nothing to interrupt."
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
