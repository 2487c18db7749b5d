"""A pull request as a forge shows it: state, checks, reviews, mergeability, at one head commit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PullRequestState(StrEnum):
    """Where a pull request stands."""

    DRAFT = "draft"
    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"


class CheckState(StrEnum):
    """Where one check run stands."""

    PENDING = "pending"
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Checks(StrEnum):
    """All check runs of one head, summed up."""

    NONE = "none"
    """No check will run for this head. A forge that may still start one says `pending`."""
    PENDING = "pending"
    PASSING = "passing"
    FAILING = "failing"


class ReviewDecision(StrEnum):
    """What the reviews of one head come to."""

    NONE = "none"
    """No review is asked for."""
    PENDING = "pending"
    APPROVED = "approved"
    CHANGES_REQUESTED = "changes_requested"


class Mergeable(StrEnum):
    """Whether the head can be merged into its base."""

    CLEAN = "clean"
    CONFLICTED = "conflicted"
    BLOCKED = "blocked"
    """The forge refuses for a reason of its own; `blockers` says which."""
    UNKNOWN = "unknown"
    """The forge has not worked it out yet: neither clean nor conflicted."""


class Approving(StrEnum):
    """What an approval that is given through us is good for, whoever gives it."""

    COUNTS = "counts"
    """The forge can count it: there are no people on it, somebody is linked, or a second identity reviews."""
    HERE = "here"
    """For our own rules only."""
    NOWHERE = "nowhere"
    """Our own rules ask for none either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRun:
    """One check at one head commit."""

    name: str
    state: CheckState
    url: str = ""
    tail: str = ""
    """The failing step's last lines: outside text, bounded; empty unless it failed."""
    optional: bool = False
    """The forge requires other checks and not this one: it blocks nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewComment:
    """One remark of a reviewer. `body` is outside text."""

    id: str
    author: str
    body: str
    path: str = ""
    line: int = 0
    url: str = ""
    resolved: bool = False
    is_bot: bool = False
    thread: str = ""
    """The forge's name of the review thread it belongs to; empty where there is none to answer in."""
    trusted: bool = True
    """Whoever wrote it belongs to the project; other texts reach an agent only when released."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One verdict, given by a person at one head commit."""

    author: str
    decision: ReviewDecision
    head: str
    at: float
    body: str = ""
    trusted: bool = True
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """One pull request, as seen in one look."""

    number: int
    url: str
    title: str
    branch: str
    base: str
    head: str
    """Full SHA of the newest commit that the forge has."""
    state: PullRequestState
    checks: Checks = Checks.NONE
    runs: tuple[CheckRun, ...] = ()
    decision: ReviewDecision = ReviewDecision.NONE
    reviews: tuple[Review, ...] = ()
    comments: tuple[ReviewComment, ...] = ()
    mergeable: Mergeable = Mergeable.UNKNOWN
    blockers: tuple[str, ...] = ()
    """Why it cannot be merged now, in words."""
    behind: bool = False
    """The base has commits that the head does not."""
    additions: int = 0
    deletions: int = 0
    files: int = 0
    notes: tuple[str, ...] = ()
    """What a person should know of its diff before a merge: tests removed or skipped, dependencies changed."""
    merge_commit: str = ""
    """The commit in the base branch, once merged."""
    author: str = ""
    """Who opened it, by the forge's own name."""
    reviewers: tuple[str, ...] = ()
    """Who is asked for a review, code owners among them."""
    approving: Approving = Approving.COUNTS
    """What an approval that is given through us is good for."""
    queued: bool = False
    """The forge merges it by itself when its turn comes (merge queue, native auto-merge)."""

    @property
    def over(self) -> bool:
        """Merged or closed."""
        return self.state in {PullRequestState.MERGED, PullRequestState.CLOSED}


def sum_up(runs: tuple[CheckRun, ...]) -> Checks:
    """One word for many runs: any failed -> failing; any unfinished -> pending; else passing.

    Optional ones count only where there are no others.
    """
    states = {run.state for run in runs if not run.optional} or {run.state for run in runs}
    if CheckState.FAILED in states:
        return Checks.FAILING
    if states & {CheckState.PENDING, CheckState.RUNNING}:
        return Checks.PENDING
    return Checks.PASSING if CheckState.PASSED in states else Checks.NONE
