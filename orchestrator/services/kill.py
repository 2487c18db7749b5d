"""End a session. Its work is saved first; the ring does it step by step."""

from __future__ import annotations

from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import Actor
from orchestrator.domain.pull_request import PullRequestState
from orchestrator.domain.session import Session, StopReason, Wanted, WantedState
from orchestrator.lifecycle.draft import Draft
from orchestrator.services import ended
from orchestrator.services.core import Core


async def kill(core: Core, session_id: SessionId, *, by: Actor) -> Session:
    """Want the session to stop. Repeatable: a session that ends already ends as it was asked first."""
    await ended.refuse(core, session_id)

    def how(draft: Draft) -> None:
        if draft.session.wanted.state is WantedState.STOP:
            return
        stop(draft, by)

    return await core.fleet.change(session_id, how)


def stop(draft: Draft, by: Actor, words: str = "") -> None:
    """A person wants it to end. What is merged stays called merged."""
    change = draft.session.change
    merged = change is not None and change.pr.state is PullRequestState.MERGED
    reason = StopReason.MERGED if merged else StopReason.KILLED
    before = f"#{change.pr.number} is in {change.pr.base}; " if change is not None and merged else ""
    said = words or f"{before}ended by {by}"
    draft.set(wanted=Wanted(state=WantedState.STOP, by=by, at=draft.now, reason=reason, words=said))
    draft.tell("session.kill_asked", f"{by} ends it", by=str(by))
