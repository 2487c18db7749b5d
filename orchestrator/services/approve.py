"""Approve a pull request, or ask for changes: bound to the head that the person saw.

It is kept as ours first. Then it is carried to the forge, as the person where they are linked there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from orchestrator.domain.ids import SessionId, short_sha
from orchestrator.domain.outside_text import clean
from orchestrator.domain.person import Actor
from orchestrator.domain.pull_request import PullRequestState, ReviewDecision
from orchestrator.domain.session import Approval, Session
from orchestrator.domain.uncarried import UncarriedReview
from orchestrator.errors import AoError, BadInput, Conflict, TemporaryError
from orchestrator.lifecycle import merging, reviewing, uncarried
from orchestrator.lifecycle.draft import Draft
from orchestrator.services import ended
from orchestrator.services.core import Core
from orchestrator.services.head import open_change


async def approve(core: Core, session_id: SessionId, *, head: str, by: Actor) -> Session:
    """Approve at `head`; kept as ours first, then carried to the forge. Raises `Conflict` if it moved.

    A forge that does not answer gets it from the ring later (`waits` says whether it is so).
    """
    await ended.refuse(core, session_id)
    session = core.fleet.get(session_id)
    full = open_change(session, head).pr.head
    review = _review(core, full, ReviewDecision.APPROVED, by)

    def how(draft: Draft) -> None:
        change = open_change(draft.session, full)
        uncarried.keep(draft, review)
        if any(a.by.name == by.name and a.head == full for a in change.approvals):
            return
        approval = Approval(by=by, head=full, at=draft.now)
        _put(draft, (*change.approvals, approval))
        draft.tell("review.approved_here", f"{by} approved {short_sha(full)}", head=full, by=str(by))

    kept = await core.fleet.change(session_id, how)
    await core.audit(by, "approve", session_id, full)
    return await _carry(core, kept, review)


async def request_changes(core: Core, session_id: SessionId, *, head: str, text: str, by: Actor) -> Session:
    """Ask for changes at `head`; `text` goes to the agent as a review. `path:line: …` lines are comments."""
    words = clean(text).strip()
    if not words:
        msg = "say what should change."
        raise BadInput(msg, session=session_id)
    await ended.refuse(core, session_id)
    session = core.fleet.get(session_id)
    full = open_change(session, head).pr.head
    review = _review(core, full, ReviewDecision.CHANGES_REQUESTED, by, words)

    def how(draft: Draft) -> None:
        change = open_change(draft.session, full)
        draft.set(changes=(*draft.session.changes[:-1], replace(change, asked_head=full, asked_by=by.name)))
        _put(draft, tuple(a for a in change.approvals if a.by.name != by.name))
        uncarried.keep(draft, review)
        draft.tell(
            "review.changes_asked_here", f"{by} asks for changes at {short_sha(full)}", head=full, by=str(by)
        )

    kept = await core.fleet.change(session_id, how)
    await core.audit(by, "request-changes", session_id, full, words)
    return await _carry(core, kept, review)


def waits(session: Session, by: Actor) -> bool:
    """Whether what this person said last is still to be carried, by the ring."""
    kept = session.change.uncarried if session.change is not None else ()
    return any(r.by == by and r.reason for r in kept)


def _review(core: Core, head: str, decision: ReviewDecision, by: Actor, body: str = "") -> UncarriedReview:
    now, grace = core.fleet.now, uncarried.GRACE
    return UncarriedReview(by=by, head=head, decision=decision, at=now, wait=grace, body=body)


def _put(draft: Draft, approvals: tuple[Approval, ...]) -> None:
    *others, change = draft.session.changes
    draft.set(changes=(*others, replace(change, approvals=approvals)))


async def _carry(core: Core, kept: Session, review: UncarriedReview) -> Session:
    """Bring it to the forge at once; if that does not answer, leave it to the ring."""
    try:
        how = await reviewing.carry(core.fleet.world, kept, review)
    except TemporaryError as error:
        waiting: AoError = error
        return await _keep(core, kept, lambda d: uncarried.put_off(d, review, waiting))
    except AoError as error:
        if isinstance(error, Conflict) and _merges(core, kept, review):
            return await _keep(core, kept, lambda d: uncarried.carried(d, review, ""))
        refusal = error
        await _keep(core, kept, lambda d: uncarried.refused(d, review, refusal))
        raise
    core.fleet.wake(kept.id)
    if how:
        words = f"{review.decision.value.replace('_', ' ')} {how}"
        await core.audit(review.by, "carried", kept.id, review.head, words)
    return await _keep(core, kept, lambda d: uncarried.carried(d, review, how))


async def _keep(core: Core, kept: Session, how: Callable[[Draft], None]) -> Session:
    """The outcome, unless the session has ended meanwhile."""
    if _latest(core, kept) is None:
        return kept
    return await core.fleet.change(kept.id, how)


def _latest(core: Core, session: Session) -> Session | None:
    return next((s for s in core.fleet.all() if s.id == session.id), None)


def _merges(core: Core, session: Session, review: UncarriedReview) -> bool:
    """The approval was the last that a merge by rule waited for, and the merge overtook us."""
    if review.decision is not ReviewDecision.APPROVED:
        return False
    latest = _latest(core, session)
    if latest is None or merging.intent_of(latest) is not None:
        return True
    return latest.change is not None and latest.change.pr.state is PullRequestState.MERGED
