"""Reviews that the forge has not got yet: kept before it is asked, carried by an act when it did not answer. Pure."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.domain.event import Level
from orchestrator.domain.ids import short_sha
from orchestrator.domain.outside_text import excerpt
from orchestrator.domain.pull_request import PullRequestState, ReviewDecision
from orchestrator.domain.session import Change, Session
from orchestrator.domain.uncarried import UncarriedReview
from orchestrator.errors import AoError, TemporaryError
from orchestrator.lifecycle.changes import OPEN
from orchestrator.lifecycle.draft import Draft

GRACE = 60.0
"""Seconds in which whoever gave a review carries it themselves; only after a crash it then still waits."""
MOST_WORDS = 2000
WAITING = "here; it is carried to the forge as soon as that answers"
"""How an approval that waits reached the forge."""


def keep(draft: Draft, review: UncarriedReview) -> None:
    """The forge is asked next. What the same person said before it counts no more."""
    change = draft.session.change
    if change is not None:
        others = tuple(r for r in change.uncarried if r.by != review.by)
        _put(draft, replace(change, uncarried=(*others, review)))


def find(session: Session, review: UncarriedReview) -> UncarriedReview | None:
    """That review as it waits now; None where it is on the forge, refused, or replaced by another."""
    kept = session.change.uncarried if session.change is not None else ()
    return next((r for r in kept if r.same(review)), None)


def due(session: Session, now: float) -> tuple[UncarriedReview, ...]:
    """What the ring is to carry now. A clock that stepped back does not hold it."""
    change = session.change
    if change is None or change.pr.state not in OPEN:
        return ()
    return tuple(r for r in change.uncarried if r.head == change.pr.head and not 0 <= now - r.at < r.wait)


def carried(draft: Draft, review: UncarriedReview, how: str) -> None:
    """The forge has it. `how`: where the forge knows people."""
    waited = find(draft.session, review)
    _drop(draft, review)
    given = _mark(draft, review, how)
    late = waited is not None and bool(waited.reason)
    if late or (how and given):
        words = how or "on the forge too"
        text = f"{review.by} {review.verb} {short_sha(review.head)} {words}"
        draft.tell("review.carried", text, head=review.head, by=str(review.by))


def put_off(draft: Draft, review: UncarriedReview, error: AoError) -> None:
    """The forge did not answer: it is carried by the ring. Told once."""
    change, kept = draft.session.change, find(draft.session, review)
    if change is None or kept is None:
        return
    wait = error.delay if isinstance(error, TemporaryError) else 0.0
    later = replace(kept, at=draft.now, wait=wait, reason=error.what)
    _put(draft, replace(change, uncarried=tuple(later if r is kept else r for r in change.uncarried)))
    _mark(draft, review, WAITING)
    if not kept.reason:
        text = (
            f"{review.by} {review.verb} {short_sha(review.head)} here; the forge does not answer now "
            f"({error.what.rstrip('.')}): it is carried there as soon as it does"
        )
        draft.tell("review.waits", text, head=review.head, by=str(review.by))


def refused(draft: Draft, review: UncarriedReview, error: AoError) -> None:
    """Trying again will not help: it counts here only, and the thread says so."""
    if find(draft.session, review) is None:
        return
    _drop(draft, review)
    _mark(draft, review, "")
    step = error.next_step or "Once that is put right, press again."
    _not_carried(draft, review, f"{error.what.rstrip('.')}. {step}", Level.ACTION)


def follow(draft: Draft) -> None:
    """Reviews of a head that is not the newest any more, or of a pull request that is over, go nowhere."""
    change = draft.session.change
    for review in change.uncarried if change is not None else ():
        if change is None or (change.pr.state in OPEN and change.pr.head == review.head):
            continue
        _drop(draft, review)
        _mark(draft, review, "")
        asks = review.decision is ReviewDecision.CHANGES_REQUESTED
        if change.pr.state in OPEN:
            what = "approve or ask for changes"
            why = (
                f"#{change.pr.number} is at {short_sha(change.pr.head)} now. Look at that, and {what} there."
            )
            _not_carried(draft, review, why, Level.ACTION if asks else Level.INFO)
        elif asks or change.pr.state is not PullRequestState.MERGED:
            why = f"#{change.pr.number} is {change.pr.state.value}."
            _not_carried(draft, review, why, Level.INFO)


def words(change: Change) -> tuple[str, ...]:
    """What waits for the forge, for the status."""
    return tuple(
        f"{r.by} {r.verb} it here, which the forge has not got yet"
        if r.decision is ReviewDecision.APPROVED
        else f"{r.by} asks for changes, which the forge has not got yet"
        for r in change.uncarried
        if r.reason
    )


def _not_carried(draft: Draft, review: UncarriedReview, why: str, level: Level) -> None:
    text = f"{review.by} {review.verb} {short_sha(review.head)} here, and the forge has not got it: {why}"
    if review.body:
        text += f" The words were: {excerpt(review.body, MOST_WORDS)}"
    draft.tell("review.not_carried", text, level, head=review.head, by=str(review.by))


def _drop(draft: Draft, review: UncarriedReview) -> None:
    change = draft.session.change
    if change is not None:
        _put(draft, replace(change, uncarried=tuple(r for r in change.uncarried if not r.same(review))))


def _mark(draft: Draft, review: UncarriedReview, how: str) -> bool:
    """Write into the approval how it got to the forge; whether it is still there."""
    change = draft.session.change
    if change is None or review.decision is not ReviewDecision.APPROVED:
        return False
    mine = [a for a in change.approvals if a.by.name == review.by.name and a.head == review.head]
    given = tuple(replace(a, carried=how) if a in mine else a for a in change.approvals)
    _put(draft, replace(change, approvals=given))
    return bool(mine)


def _put(draft: Draft, change: Change) -> None:
    draft.set(changes=(*draft.session.changes[:-1], change))
