"""Approve a pull request, or ask for changes: bound to the head that the person saw."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.domain.ids import SessionId
from orchestrator.domain.outside_text import clean
from orchestrator.domain.person import Actor
from orchestrator.domain.pull_request import ReviewDecision
from orchestrator.domain.session import Approval, Change, Session
from orchestrator.errors import BadInput
from orchestrator.lifecycle.draft import Draft
from orchestrator.services.core import Core
from orchestrator.services.head import open_change


async def approve(core: Core, session_id: SessionId, *, head: str, by: Actor) -> Session:
    """Approve at `head`; kept as ours first, then carried to the forge. Raises `Conflict` if it moved."""
    session = core.fleet.get(session_id)
    full = open_change(session, head).pr.head

    def how(draft: Draft) -> None:
        change = open_change(draft.session, full)
        if any(a.by.name == by.name and a.head == full for a in change.approvals):
            return
        approval = Approval(by=by, head=full, at=draft.now)
        _put(draft, change, (*change.approvals, approval))
        draft.tell("review.approved_here", f"{by} approved {full[:10]}", head=full, by=str(by))

    await core.fleet.change(session_id, how)
    await core.audit(by, "approve", session_id, full)
    return await _carry(core, session_id, full, ReviewDecision.APPROVED, by, "")


async def request_changes(core: Core, session_id: SessionId, *, head: str, text: str, by: Actor) -> Session:
    """Ask for changes at `head`; `text` goes to the agent as a review. `path:line: …` lines are comments."""
    words = clean(text).strip()
    if not words:
        msg = "say what should change."
        raise BadInput(msg, session=session_id)
    session = core.fleet.get(session_id)
    full = open_change(session, head).pr.head

    def how(draft: Draft) -> None:
        change = open_change(draft.session, full)
        _put(draft, change, tuple(a for a in change.approvals if a.by.name != by.name))
        draft.tell(
            "review.changes_asked_here", f"{by} asks for changes at {full[:10]}", head=full, by=str(by)
        )

    await core.fleet.change(session_id, how)
    await core.audit(by, "request-changes", session_id, full, words)
    return await _carry(core, session_id, full, ReviewDecision.CHANGES_REQUESTED, by, words)


def _put(draft: Draft, change: Change, approvals: tuple[Approval, ...]) -> None:
    draft.set(changes=(*draft.session.changes[:-1], replace(change, approvals=approvals)))


async def _carry(
    core: Core, session_id: SessionId, head: str, verdict: ReviewDecision, by: Actor, body: str
) -> Session:
    session = core.fleet.get(session_id)
    world = core.fleet.world
    await world.scm(session).review(world.ref(session), head, verdict, by, body)
    core.fleet.wake(session_id)
    return core.fleet.get(session_id)
