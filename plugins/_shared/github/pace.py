"""When each session's pull request is looked at. Pure: the clock is passed in.

Something that is near a decision is looked at at the base interval, what rests as far more rarely as the
budget says, and what webhooks tell of only once in a while, for deliveries that were lost. A session is
looked at at once after `forget`: a webhook told of it, or we changed it ourselves. Where webhooks tell of very
much, what they tell is looked at together, every few seconds; that checks come and begin is not looked at by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from orchestrator.domain.pull_request import (
    Checks,
    Mergeable,
    PullRequest,
    PullRequestState,
    ReviewDecision,
)

BASE = 30.0
"""Seconds between two looks while nothing slows us."""
SAFETY = 600.0
"""Seconds between two looks at what webhooks tell of, and at sessions without a pull request."""
COVERED_SOON = 120.0
"""The same for checks that run."""
MERGED = 3600.0
JUST = 120.0
"""Seconds after a push or a word of a webhook in which more is to come."""
WORKED_OUT = (2.0, 4.0, 8.0, 16.0)
"""Seconds between looks while GitHub works out whether it merges: no webhook tells of that."""
TROUBLE = (15.0, 30.0, 60.0, 120.0, 300.0)
"""Seconds between looks that fail."""
AGAIN = 5.0
"""Seconds between a look that failed and the one at the end of the outage; twice as long each time that it is in vain."""
OUTAGE = 10.0
"""Seconds of an outage after which webhooks of it may be lost: GitHub's deliveries are not made again by themselves."""
PROBE = 15.0
"""Seconds between two looks, at one session of all, that try whether an outage is over."""
NEAR_SHARE = 4.0
"""What is near a decision is slowed by this part of what others are."""
ALONG = 0.5
"""From this part of its interval on, a session is looked at along with others that are due."""


SOON = 10.0
"""Seconds in which a session is looked at of which webhooks tell that checks come or begin."""
HASTE = 20.0
"""Looks at once for what webhooks tell of; one more comes free every `refill` seconds."""
MOST_HASTE = 100.0
"""The same where much is left of the limit."""
HASTE_SHARE = 0.02
"""Part of what is left of the limit that one burst may take."""
QUICK, SLOW = 1.0, 12.0
"""Seconds in which one more comes free in a small fleet, and in one of a thousand sessions."""


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left of an hour's limit for looks."""

    left: float
    seconds: float
    """Until it is full again."""


def refill(sessions: int, quota: Quota | None = None) -> float:
    """A small fleet is told of little and is to hear of it at once; a large one shares its looks.

    No fleet has more of them than last to the end of the hour.
    """
    by_size = min(SLOW, max(QUICK, SLOW * sessions / 1000))
    return by_size if quota is None else max(by_size, quota.seconds / max(1.0, quota.left))


def burst(quota: Quota | None) -> float:
    """How many looks may be made at once after a quiet time."""
    return HASTE if quota is None else min(MOST_HASTE, max(1.0, quota.left * HASTE_SHARE))


@dataclass(slots=True)
class Haste:
    """How many looks may still be made at once, one by one, for what webhooks tell of."""

    left: float = HASTE
    at: float = 0.0

    def wait(self, now: float, sessions: int, quota: Quota | None = None) -> float:
        """Seconds until the next one; 0: now. `sessions`: how many are looked after. `quota` None: not known."""
        passed, each = now - self.at, refill(sessions, quota)
        if passed > 0:
            self.left += passed / each
        self.left = min(burst(quota), self.left)
        self.at = now
        return 0.0 if self.left >= 1.0 else (1.0 - self.left) * each

    def take(self) -> None:
        """One is made."""
        self.left = max(0.0, self.left - 1.0)


class Standing(Enum):
    """How soon something may change."""

    NONE = "there is no pull request"
    NEAR = "checks run, or a merge is near"
    IDLE = "it waits for people"
    CLOSED = "it is closed, and may be opened again"
    MERGED = "it is over"


@dataclass(slots=True)
class Pace:
    """One session's looks so far."""

    looked_at: float = -1e18
    """When the last look began."""
    whole_at: float = -1e18
    """When everything was last read, not only whether something changed."""
    told_at: float = -1e18
    """When it was last forgotten."""
    standing: Standing = Standing.NONE
    unknown: int = 0
    """Looks in a row in which GitHub had not worked out whether it merges."""
    unread: int = 0
    """The same in which the lines of a failing check were not there yet."""
    failures: int = 0
    over: bool = False
    """An outage ended since the last look."""
    in_vain: int = 0
    """Looks in a row that failed although an outage had ended."""
    delay: float = 0.0
    """Seconds to wait after a failure, where GitHub named some."""
    waits_for_us: bool = False
    """GitHub has not shown yet what we did."""
    forgotten: bool = field(default=True)
    hinted_at: float | None = None
    """When a webhook first told of progress that no look has seen."""
    soon: float = SOON
    """Seconds after that in which it is looked at."""

    def forget(self, now: float) -> None:
        """Look at it next time."""
        self.forgotten = True
        self.told_at = now
        self.unknown = 0

    def hint(self, now: float, soon: float = SOON) -> float:
        """Something goes on there: look within so many seconds. Answers how many are left."""
        if self.hinted_at is None or now < self.hinted_at:
            self.hinted_at, self.soon = now, soon
        return self.hint_due_in(now) or 0.0

    def hint_due_in(self, now: float) -> float | None:
        """Seconds until what goes on there is looked at, 0: now; None: nobody told of anything."""
        if self.hinted_at is None:
            return None
        return max(0.0, self.hinted_at + self.soon - now) if now >= self.hinted_at else 0.0

    def looked(self, now: float, standing: Standing, *, unknown: bool) -> None:
        """A look that began at `now` succeeded."""
        self.looked_at, self.standing = now, standing
        self.unknown = self.unknown + 1 if unknown else 0
        self.failures, self.delay, self.forgotten = 0, 0.0, False
        self.over, self.in_vain = False, 0
        self._saw_hint(now)

    def failed(self, now: float, delay: float) -> None:
        """A look failed. One that came sooner than it was due, for it was told of, says nothing of how long that lasts."""
        waited = now - self.looked_at
        due = TROUBLE[min(self.failures, len(TROUBLE)) - 1] if self.failures else 0.0
        if not self.failures or waited >= due:
            self.failures += 1
        self.in_vain += self.over
        self.looked_at, self.delay = now, delay
        self.forgotten = self.over = False
        self._saw_hint(now)

    def _saw_hint(self, began: float) -> None:
        if self.hinted_at is not None and self.hinted_at <= began:
            self.hinted_at = None

    def recovered(self, began: float, now: float) -> bool:
        """GitHub answers again after an outage that began then: whether it is looked at again for that."""
        missed = self.standing is Standing.NEAR and self.looked_at < began and now - began >= OUTAGE
        self.over = self.over or missed or self.failures > 0
        return self.over

    def _soon(self) -> float:
        """Seconds to the next look at what GitHub is about to show by itself; 0 for everything else."""
        if self.waits_for_us:
            return WORKED_OUT[1]
        if self.unread:
            return WORKED_OUT[min(self.unread, len(WORKED_OUT)) - 1]
        return WORKED_OUT[self.unknown - 1] if 0 < self.unknown <= len(WORKED_OUT) else 0.0

    def interval(self, now: float, *, covered: bool, stretch: float, base: float = BASE) -> float:
        """Seconds from the last look to the next."""
        if self.failures:
            return max(TROUBLE[min(self.failures, len(TROUBLE)) - 1], self.delay)
        if soon := self._soon():
            return soon
        if self.standing is Standing.NONE:
            return SAFETY
        if self.standing is Standing.MERGED:
            return MERGED
        near = self.standing is Standing.NEAR or now - self.told_at < JUST
        if covered:
            return COVERED_SOON * max(1.0, stretch / NEAR_SHARE) if near else SAFETY
        if self.standing is Standing.CLOSED:
            return max(SAFETY, base)
        return base * (max(1.0, stretch / NEAR_SHARE) if near else max(1.0, stretch))

    def due(self, now: float, *, covered: bool, stretch: float, base: float = BASE) -> bool:
        """Whether it is to be looked at now. A clock that was set back makes it due."""
        if self.forgotten:
            return True
        if self.hint_due_in(now) == 0.0:
            return True
        age = now - self.looked_at
        if self.over and age >= min(AGAIN * 2.0**self.in_vain, TROUBLE[-1]):
            return True
        return age < 0 or age >= self.interval(now, covered=covered, stretch=stretch, base=base)

    def along(self, now: float, *, covered: bool, stretch: float, base: float = BASE) -> bool:
        """Whether it is taken along in a query that goes out anyway: so those that rest come to be asked together."""
        if self.failures or self.over:
            return self.over and now - self.looked_at >= AGAIN * 2.0**self.in_vain
        wait = self.interval(now, covered=covered, stretch=stretch, base=base)
        return now - self.looked_at >= wait * ALONG


def standing(pull: PullRequest | None) -> Standing:
    """How soon something may change with a pull request."""
    if pull is None:
        return Standing.NONE
    if pull.state is PullRequestState.MERGED:
        return Standing.MERGED
    if pull.state is PullRequestState.CLOSED:
        return Standing.CLOSED
    runs = pull.checks is Checks.PENDING or pull.mergeable is Mergeable.UNKNOWN
    green = pull.checks in {Checks.PASSING, Checks.NONE}
    wanted = pull.decision is ReviewDecision.APPROVED and green
    return Standing.NEAR if runs or wanted or pull.queued else Standing.IDLE
