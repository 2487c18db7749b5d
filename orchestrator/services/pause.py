"""Hold a session: nothing is typed or started for it until it is released. Its agent is left alone."""

from __future__ import annotations

from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import Actor
from orchestrator.domain.session import Session, Wanted, WantedState
from orchestrator.errors import Conflict
from orchestrator.lifecycle.draft import Draft
from orchestrator.services import ended
from orchestrator.services.core import BRAKE, Core


async def pause(core: Core, session_id: SessionId | None, *, by: Actor) -> list[Session]:
    """Pause one session, or all (`None`): the fleet's brake, which also keeps new ones from starting."""
    if session_id is None and not core.brake:
        await core.store.fleet.set(BRAKE, {"by": str(by), "at": core.clock.now()})
    return await _each(core, session_id, WantedState.PAUSE, by)


async def unpause(core: Core, session_id: SessionId | None, *, by: Actor) -> list[Session]:
    """Let one session, or all that are paused, go on; for all the brake is released."""
    if session_id is None and core.brake:
        await core.store.fleet.set(BRAKE, None)
        core.fleet.wake()
    return await _each(core, session_id, WantedState.RUN, by)


async def _each(core: Core, session_id: SessionId | None, to: WantedState, by: Actor) -> list[Session]:
    if session_id is not None:
        await ended.refuse(core, session_id)
        return [await core.fleet.change(session_id, lambda d: _set(d, to, by))]
    targets = [s.id for s in core.fleet.live() if s.wanted.state not in {to, WantedState.STOP}]
    return [await core.fleet.change(target, lambda d: _set(d, to, by)) for target in targets]


def _set(draft: Draft, to: WantedState, by: Actor) -> None:
    session = draft.session
    if session.wanted.state is WantedState.STOP:
        msg = "it is ended or ending."
        raise Conflict(msg, session=session.id)
    if session.wanted.state is to:
        return
    words = f"paused by {by}" if to is WantedState.PAUSE else ""
    draft.set(wanted=Wanted(state=to, by=by, at=draft.now, words=words))
    kind = "session.pause_asked" if to is WantedState.PAUSE else "session.unpaused"
    draft.tell(kind, f"{by} {'pauses' if to is WantedState.PAUSE else 'releases'} it", by=str(by))
