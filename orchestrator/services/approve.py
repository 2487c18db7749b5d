"""Approve a pull request, or ask for changes: bound to the head that the person saw."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.domain.ids import SessionId, short_sha
from orchestrator.domain.outside_text import clean
from orchestrator.domain.person import Actor
from orchestrator.domain.pull_request import PullRequestState, ReviewDecision
from orchestrator.domain.session import Approval, Change, Session
from orchestrator.errors import BadInput, Conflict
from orchestrator.lifecycle import merging
from orchestrator.lifecycle.draft import Draft
from orchestrator.services import ended
from orchestrator.services.core import Core
from orchestrator.services.head import open_change


async def approve(core: Core, session_id: SessionId, *, head: str, by: Actor) -> Session:
    """Approve at `head`; kept as ours first, then carried to the forge. Raises `Conflict` if it moved."""
    await ended.refuse(core, session_id)
    session = core.fleet.get(session_id)
    full = open_change(session, head).pr.head

    def how(draft: Draft) -> None:
        change = open_change(draft.session, full)
        if any(a.by.name == by.name and a.head == full for a in change.approvals):
            return
        approval = Approval(by=by, head=full, at=draft.now)
        _put(draft, change, (*change.approvals, approval))
        draft.tell("review.approved_here", f"{by} approved {short_sha(full)}", head=full, by=str(by))

    kept = await core.fleet.change(session_id, how)
    await core.audit(by, "approve", session_id, full)
    try:
        return await _carry(core, kept, full, ReviewDecision.APPROVED, by, "")
    except Conflict:
        if not _merges(core, kept):
            raise
        return kept


async def request_changes(core: Core, session_id: SessionId, *, head: str, text: str, by: Actor) -> Session:
    """Ask for changes at `head`; `text` goes to the agent as a review. `path:line: …` lines are comments."""
    words = clean(text).strip()
    if not words:
        msg = "say what should change."
        raise BadInput(msg, session=session_id)
    await ended.refuse(core, session_id)
    session = core.fleet.get(session_id)
    full = open_change(session, head).pr.head

    def how(draft: Draft) -> None:
        change = open_change(draft.session, full)
        asked = replace(change, asked_head=full, asked_by=by.name)
        _put(draft, asked, tuple(a for a in change.approvals if a.by.name != by.name))
        draft.tell(
            "review.changes_asked_here", f"{by} asks for changes at {short_sha(full)}", head=full, by=str(by)
        )

    kept = await core.fleet.change(session_id, how)
    await core.audit(by, "request-changes", session_id, full, words)
    return await _carry(core, kept, full, ReviewDecision.CHANGES_REQUESTED, by, words)


def _put(draft: Draft, change: Change, approvals: tuple[Approval, ...]) -> None:
    draft.set(changes=(*draft.session.changes[:-1], replace(change, approvals=approvals)))


async def _carry(
    core: Core, session: Session, head: str, verdict: ReviewDecision, by: Actor, body: str
) -> Session:
    world = core.fleet.world
    await world.scm(session).review(world.ref(session), head, verdict, by, body)
    core.fleet.wake(session.id)
    return _latest(core, session) or session


def _latest(core: Core, session: Session) -> Session | None:
    return next((s for s in core.fleet.all() if s.id == session.id), None)


def _merges(core: Core, session: Session) -> bool:
    """The approval was the last that a merge by rule waited for, and the merge overtook us."""
    latest = _latest(core, session)
    if latest is None or merging.intent_of(latest) is not None:
        return True
    return latest.change is not None and latest.change.pr.state is PullRequestState.MERGED
