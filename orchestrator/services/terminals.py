"""What becomes of agents' terminals when this process ends: some outlive it, some end with it."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.domain.session import RuntimeFact, RuntimeState, Session
from orchestrator.errors import AoError
from orchestrator.lifecycle import transitions
from orchestrator.lifecycle.draft import Draft
from orchestrator.services.core import Core

ENDED = "its terminal ended with ao; the next `ao start` starts it again"


def ending_with_us(core: Core) -> Sequence[Session]:
    """Sessions whose terminal ends when this process does."""
    there = {RuntimeState.ALIVE, RuntimeState.UNKNOWN}
    return [s for s in core.fleet.live() if s.runtime.state in there and not _outlives(core, s)]


def _outlives(core: Core, session: Session) -> bool:
    try:
        return core.fleet.world.runtime(session).outlives_us
    except AoError:
        return True  # a plugin that is not here now: nobody can tell


async def let_go(core: Core) -> None:
    """Keep, before this process ends, what ends with it: nobody is to read that such an agent rests."""
    for session in ending_with_us(core):
        await core.fleet.change(session.id, _ended)


def show_as_ended(core: Core) -> None:
    """For who only reads what is kept while nothing runs: also after a crash. Keeps nothing."""
    for session in ending_with_us(core):
        draft = Draft(session, core.clock.now())
        _ended(draft)
        transitions.settle(draft, core.settings.rules(session.project))
        core.fleet.adopt([draft.session])


def _ended(draft: Draft) -> None:
    now = draft.now
    draft.set(runtime=RuntimeFact(state=RuntimeState.UNKNOWN, at=now, reason=ENDED, doubt_since=now))
