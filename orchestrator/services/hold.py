"""Say that nobody merges a session's pull request, neither a person nor a rule."""

from __future__ import annotations

from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import Actor
from orchestrator.domain.session import Session
from orchestrator.lifecycle import merging
from orchestrator.lifecycle.draft import Draft
from orchestrator.services import ended
from orchestrator.services.core import Core


async def hold(core: Core, session_id: SessionId, *, by: Actor) -> Session:
    """Hold it. Repeatable; the first holder stays named.

    A merge that was asked for and has not come through is taken back.
    """
    await ended.refuse(core, session_id)

    def how(draft: Draft) -> None:
        if draft.session.hold is None:
            draft.set(hold=by, hold_at=draft.now)
            draft.tell("merge.held", f"{by} holds the merge", by=str(by))
        merging.take_back(draft, by=str(by))

    return await core.fleet.change(session_id, how)


async def unhold(core: Core, session_id: SessionId, *, by: Actor) -> Session:
    """Release it. Repeatable."""
    await ended.refuse(core, session_id)

    def how(draft: Draft) -> None:
        if draft.session.hold is not None:
            draft.set(hold=None, hold_at=0.0)
            draft.tell("merge.released", f"{by} releases the merge", by=str(by))

    return await core.fleet.change(session_id, how)
