"""Approve a pull request, or ask for changes: bound to the head that the person saw.

It is kept as ours first. Then it is carried to the forge, as the person where they are linked there.
"""

from __future__ import annotations

from dataclasses import replace

from orchestrator.domain.ids import SessionId, short_sha
from orchestrator.domain.outside_text import clean
from orchestrator.domain.person import Actor
from orchestrator.domain.pull_request import PullRequestState, ReviewDecision
from orchestrator.domain.session import Approval, Change, Session
from orchestrator.errors import BadInput, Conflict, SignedOut
from orchestrator.lifecycle import merging
from orchestrator.lifecycle.draft import Draft
from orchestrator.ports.scm import SignsIn
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
        carried = await _carry(core, kept, full, ReviewDecision.APPROVED, by, "")
    except Conflict:
        if not _merges(core, kept):
            raise
        return kept
    return await _keep_how(core, kept, full, carried, by)


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
    await _carry(core, kept, full, ReviewDecision.CHANGES_REQUESTED, by, words)
    return _latest(core, kept) or kept


def _put(draft: Draft, change: Change, approvals: tuple[Approval, ...]) -> None:
    draft.set(changes=(*draft.session.changes[:-1], replace(change, approvals=approvals)))


async def _carry(
    core: Core, session: Session, head: str, verdict: ReviewDecision, by: Actor, body: str
) -> str:
    """Bring it to the forge; returns how, where the forge knows people."""
    world = core.fleet.world
    scm = world.scm(session)
    as_ = await world.credential(session, by.name)
    try:
        carried = await scm.review(world.ref(session), head, verdict, by, body, as_=as_)
    except SignedOut as error:
        if as_ is None:
            raise
        raise await world.signed_out(session, by.name) from error
    core.fleet.wake(session.id)
    if not isinstance(scm, SignsIn):
        return ""
    how = carried.words if carried.counts else f"here: it counts for our own rules only; {carried.words}"
    await core.audit(by, "carried", session.id, head, f"{verdict.value.replace('_', ' ')} {how}")
    return how


async def _keep_how(core: Core, session: Session, head: str, how: str, by: Actor) -> Session:
    latest = _latest(core, session)
    if latest is None or not how:
        return latest or session

    def keep(draft: Draft) -> None:
        change = draft.session.change
        if change is None or all(a.by.name != by.name or a.head != head for a in change.approvals):
            return  # taken back meanwhile
        given = (
            replace(a, carried=how) if a.by.name == by.name and a.head == head else a
            for a in change.approvals
        )
        _put(draft, change, tuple(given))
        draft.tell("review.carried", f"{by} approved {short_sha(head)} {how}", head=head, by=str(by))

    return await core.fleet.change(session.id, keep)


def _latest(core: Core, session: Session) -> Session | None:
    return next((s for s in core.fleet.all() if s.id == session.id), None)


def _merges(core: Core, session: Session) -> bool:
    """The approval was the last that a merge by rule waited for, and the merge overtook us."""
    latest = _latest(core, session)
    if latest is None or merging.intent_of(latest) is not None:
        return True
    return latest.change is not None and latest.change.pr.state is PullRequestState.MERGED
