"""What a configured reaction can answer to, read from a session's facts. Pure.

Each condition has a fingerprint: while it stays the same, the reaction has been done already. For
checks and conflicts that is the head commit, for reviews the comments with their texts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.domain.activity import ActivityState
from orchestrator.domain.ids import short_sha
from orchestrator.domain.message import MessageStage, digest
from orchestrator.domain.pull_request import (
    Checks,
    Mergeable,
    PullRequestState,
    ReviewComment,
    ReviewDecision,
)
from orchestrator.domain.session import Change, Session
from orchestrator.lifecycle import briefing, delivery
from orchestrator.lifecycle.changes import OPEN, failing

LIMIT_WAIT = 60.0
"""Seconds after which an agent that was limited is told to go on, where nobody says when; doubled each time."""
MOST_LIMIT_WAIT = 1800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Something that holds now and that a reaction may answer."""

    key: str
    fingerprint: str
    since: float
    words: str
    """The trouble in one sentence for people."""
    details: str
    """What the agent is told after the rule's own message; outside text in it is fenced."""
    once: bool = False
    """The same again, after it was over, is no news for the agent: it was told of it."""


def _change(session: Session) -> Change | None:
    change = session.change
    return change if change is not None and change.pr.state in OPEN else None


def _ci_failed(session: Session) -> Condition | None:
    change = _change(session)
    if change is None or change.pr.checks is not Checks.FAILING:
        return None
    pr = change.pr
    return Condition(
        key="ci-failed",
        fingerprint=pr.head,
        since=change.since,
        words=f"checks failed at {short_sha(pr.head)}",
        details=briefing.checks(pr.number, pr.head, failing(pr)),
        once=True,
    )


def _unresolved(change: Change, *, bots: bool) -> tuple[ReviewComment, ...]:
    """Of outsiders none: what they write reaches an agent only by a person's release."""
    return tuple(c for c in change.pr.comments if c.trusted and not c.resolved and c.is_bot is bots)


def _mark(change: Change, comments: tuple[ReviewComment, ...]) -> str:
    """Edited comments are new ones: the texts are part of it."""
    rows = sorted(f"{c.id} {c.body}" for c in comments)
    return digest("\n".join([*rows, *(f"{r.author} {r.at} {r.body}" for r in _demands(change))]))


def _demands(change: Change) -> tuple[briefing.Demand, ...]:
    return tuple(
        briefing.Demand(author=r.author, body=r.body, at=r.at)
        for r in change.pr.reviews
        if r.trusted and r.decision is ReviewDecision.CHANGES_REQUESTED and r.body
    )


def _changes_requested(session: Session) -> Condition | None:
    change = _change(session)
    if change is None:
        return None
    comments = _unresolved(change, bots=False)
    if change.pr.decision is not ReviewDecision.CHANGES_REQUESTED and not comments:
        return None
    return Condition(
        key="changes-requested",
        fingerprint=_mark(change, comments),
        since=change.since,
        words=f"changes are asked for on #{change.pr.number}",
        details=briefing.review(change.pr.number, _demands(change), comments),
    )


def _bugbot(session: Session) -> Condition | None:
    change = _change(session)
    comments = _unresolved(change, bots=True) if change else ()
    if change is None or not comments:
        return None
    return Condition(
        key="bugbot-comments",
        fingerprint=digest("\n".join(sorted(f"{c.id} {c.body}" for c in comments))),
        since=change.since,
        words=f"automated comments were left on #{change.pr.number}",
        details=briefing.review(change.pr.number, (), comments),
    )


def _conflicts(session: Session) -> Condition | None:
    change = _change(session)
    if change is None or change.pr.mergeable is not Mergeable.CONFLICTED:
        return None
    return Condition(
        key="merge-conflicts",
        fingerprint=change.pr.head,
        since=change.since,
        words=f"#{change.pr.number} conflicts with {change.pr.base}",
        details=briefing.conflict(change.pr, session.base_source),
    )


def _idle(session: Session) -> Condition | None:
    if session.change is not None or session.work.activity.state is not ActivityState.IDLE:
        return None
    if session.work.reported_done or session.held.push is not None:
        return None
    # A message that is still on its way belongs to the turn that caused it.
    answered = (m.number for m in session.messages if m.stage is MessageStage.ANSWERED)
    return Condition(
        key="agent-idle",
        fingerprint=f"turn {max(answered, default=0)} at {session.local_head[:10]}",
        since=session.work.progress_at,
        words="its turn is over and no pull request is open",
        details="",
    )


def _limited(session: Session) -> Condition | None:
    """The turn ended because the provider made the agent wait. Holds from when it may go on."""
    activity = session.work.activity
    over = activity.trouble is not None and delivery.prompt_shown(session)
    if activity.state is not ActivityState.LIMITED or not over:
        return None
    tried = next((a.count for a in session.attempts if a.key == "agent-limited"), 0)
    wait = min(LIMIT_WAIT * 2**tried, MOST_LIMIT_WAIT)
    return Condition(
        key="agent-limited",
        fingerprint=f"{activity.trouble.value} at {activity.at:.0f}" if activity.trouble else "",
        since=activity.until if activity.until is not None else activity.at + wait,
        words=f"the agent has to wait: {activity.evidence}",
        details="",
    )


CONDITIONS: dict[str, Callable[[Session], Condition | None]] = {
    "ci-failed": _ci_failed,
    "changes-requested": _changes_requested,
    "bugbot-comments": _bugbot,
    "merge-conflicts": _conflicts,
    "agent-idle": _idle,
    "agent-limited": _limited,
}
"""Reactions that are about a condition of one session."""


def settled(key: str, session: Session) -> bool:
    """Whether the trouble is really over, so that its attempts count no more.

    Checks that run again, a mergeability that is not worked out yet, or an agent that took the next
    turn are not the end of it.
    """
    change = session.change
    if key == "agent-limited":
        return session.work.activity.state is ActivityState.IDLE
    if change is None:
        return key != "agent-idle" or session.work.reported_done
    if change.pr.state in {PullRequestState.MERGED, PullRequestState.CLOSED}:
        return True
    if key == "ci-failed":
        return not change.red_heads
    if key == "merge-conflicts":
        return change.pr.mergeable is Mergeable.CLEAN
    if key == "changes-requested":
        waits = change.pr.decision in {ReviewDecision.CHANGES_REQUESTED, ReviewDecision.PENDING}
        return not waits and not _unresolved(change, bots=False)
    if key == "bugbot-comments":
        return not _unresolved(change, bots=True)
    return True
