"""What is remembered of one session's pull request between two looks. No call is made here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.domain.look import Look, Seen, Unseen
from orchestrator.domain.pull_request import Checks, CheckState, Mergeable, PullRequest
from orchestrator.ports.session_ref import SessionRef
from plugins._shared.github import pace as github_pace
from plugins._shared.github import pull as github_pull
from plugins._shared.github.pace import Pace
from plugins._shared.github.pull import BranchRules, Facts
from plugins._shared.github.reading import Read
from plugins._shared.github.words import moment, text

PUSH_SHOWN = 60.0
"""Seconds after a push of ours in which GitHub may still show the head of before."""
LAG = 300.0
"""Seconds for which an answer older than what is known is taken for a server that is behind."""
WHOLE = 600.0
"""Seconds after which everything is read although nothing seems to have changed."""
WHOLE_COVERED = 3600.0
WHOLE_RUNNING = 60.0
_WAITING = (CheckState.PENDING, CheckState.RUNNING)


@dataclass(slots=True)
class Track:
    """One session."""

    ref: SessionRef
    repo: str
    pace: Pace = field(default_factory=Pace)
    stamp: int = 0
    """Counts what made older answers worthless: an answer to a call that began before is not kept."""
    number: int = 0
    read: Read | None = None
    answer: Look[PullRequest | None] | None = None
    """What `observe` says; None: it must be looked at first."""
    asked_at: float = 0.0
    """When somebody last wanted to know."""
    rules: BranchRules = field(default_factory=BranchRules)
    tails: Mapping[int, str | None] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    behind: bool | None = None
    head: str = ""
    head_seen_at: float = 0.0
    first_seen: dict[str, str] | None = None
    pushed: tuple[str, str, float] = ("", "", 0.0)
    """The head that was replaced, the head that we pushed, and until when the first is not believed."""
    lagging_since: float = 0.0

    def forget(self, now: float) -> None:
        """What is known is not to be told any more."""
        self.stamp += 1
        self.answer = None
        self.pace.forget(now)

    def heard(self, now: float) -> None:
        """Something happened there: what is known is told on until it was looked at."""
        self.stamp += 1
        self.pace.forget(now)

    def is_stale(self, read: Read, now: float) -> bool:
        """An answer shows less than what is known: from a server that is behind, or before our push arrived."""
        before, after, until = self.pushed
        head = text(read.pull.get("headRefOid"))
        if before and now < until and head == before != after:
            return True
        known = moment(self.read.pull.get("updatedAt")) if self.read else 0.0
        if moment(read.pull.get("updatedAt")) >= known:
            self.lagging_since = 0.0
            return False
        self.lagging_since = self.lagging_since or now
        return now - self.lagging_since < LAG

    def keep(self, read: Read, server_now: float) -> None:
        """Everything was read."""
        head = text(read.pull.get("headRefOid"))
        if head != self.head:
            self.head, self.head_seen_at = head, server_now
        self.read = read
        self.pushed = ("", "", 0.0)

    def facts(self) -> Facts | None:
        """For the mapping."""
        if self.read is None:
            return None
        pull = self.read.pull
        return Facts(
            pull=pull,
            contexts=self.read.contexts,
            reviews=self.read.reviews,
            threads=self.read.threads,
            said=self.read.said,
            rules=self.rules,
            tails=self.tails,
            notes=self.notes,
            behind=self.behind,
            # A push changes the time of the pull request's last update: the head is no younger than either.
            head_since=min(self.head_seen_at, moment(pull.get("updatedAt")) or self.head_seen_at),
            first_seen=self.first_seen,
        )

    def tell(self, server_now: float) -> PullRequest | None:
        """Work the answer out anew, and remember at which head each remark was first shown."""
        facts = self.facts()
        if facts is None:
            self.answer = Seen(None)
            return None
        shown = github_pull.pull_request(facts, server_now)
        seen = {} if self.first_seen is None else self.first_seen
        general = [comment for comment in shown.comments if not comment.thread]
        self.first_seen = {c.id: seen.get(c.id, "" if c.resolved else shown.head) for c in general}
        self.answer = Seen(shown)
        return shown

    def told(self, server_now: float) -> Look[PullRequest | None] | None:
        """The answer now: while it waits for checks, time alone changes it."""
        shown = self.answer.value if isinstance(self.answer, Seen) else None
        if shown is not None and shown.checks is Checks.PENDING:
            self.tell(server_now)
        return self.answer

    def fails(self, look: Unseen, now: float, delay: float) -> None:
        """It could not be looked at."""
        self.answer = look
        self.pace.failed(now, delay)

    def succeeded(self, began: float, shown: PullRequest | None, *, whole: bool) -> None:
        """A look that began then is over."""
        # While checks run they are looked at often enough, and nobody merges before they end.
        runs = shown is not None and any(run.state in _WAITING for run in shown.runs)
        unknown = shown is not None and not shown.over and not runs and shown.mergeable is Mergeable.UNKNOWN
        self.pace.looked(began, github_pace.standing(shown), unknown=unknown)
        self.pace.waits_for_us = False
        self.pace.unread = self.pace.unread + 1 if self.is_unread else 0
        if whole:
            self.pace.whole_at = began

    @property
    def is_unread(self) -> bool:
        """A check failed whose lines are not there yet."""
        return any(tail is None for tail in self.tails.values())

    def whole_is_old(self, now: float, *, covered: bool, share: float = 1.0) -> bool:
        """Everything was read that long ago, or a part of it."""
        age = now - self.pace.whole_at
        return age < 0 or age >= share * (WHOLE_COVERED if covered else WHOLE)

    def wants_whole(self, now: float, *, covered: bool) -> bool:
        """Everything is to be read, not only whether something changed."""
        if self.read is None or self.answer is None or isinstance(self.answer, Unseen):
            return True
        if self.pace.forgotten or self.pace.hinted_at is not None:
            return True
        if self.is_unread or self.whole_is_old(now, covered=covered):
            return True
        shown = self.answer.value
        if shown is None:
            return True
        # Resolving a thread changes nothing that a glance shows; what was resolved is not forwarded.
        unsettled = any(comment.thread and not comment.resolved for comment in shown.comments)
        runs = any(run.state in _WAITING for run in shown.runs)
        return (unsettled and not shown.over) or (
            runs and not covered and now - self.pace.whole_at >= WHOLE_RUNNING
        )
