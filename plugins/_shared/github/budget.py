"""The quota of one identity at one address: what may be called now, and how far looks are slowed. Pure.

GitHub limits REST and GraphQL by the hour, points and content by the minute (docs.github.com, "Rate
limits for the REST API" and "… for the GraphQL API"). All calls of one identity share one budget, also
those that other programs make with it: what is left is what GitHub says is left. Times that GitHub
names are by its own clock (`Date`).
"""

from __future__ import annotations

import email.utils
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.ports.meter import Meter

CONTENT_A_MINUTE = 75
CONTENT_AN_HOUR = 480
"""GitHub refuses from 80 and 500 on; people write too."""
POINTS_A_MINUTE: Mapping[str, int] = {"rest": 800, "graphql": 1800}
"""GitHub's secondary limits are 900 and 2,000."""
WRITE_POINTS = 5
RESERVE = 0.04
"""Part of a limit that looks leave to what people ask for."""
WINDOW = 600.0
"""Seconds over which use is measured."""
SETTLE = 60.0
MOST_STRETCH = 20.0
FIRST_PAUSE = 2.0
LONGEST_PAUSE = 20.0
"""Seconds between two calls that try whether an outage is over: one small call, so that its end is soon known."""
TROUBLE_TOLD = 600.0
"""Seconds after a failure in which trouble is told of, until a call succeeds: later nobody tried, and nobody knows."""
PROBE = 10.0
"""Seconds after which a probe that was not answered yet is made again."""
_PROBING = 0.25
_NOT_BUILT = 501
"""Says that this one call is not known there, and nothing of the others."""
_UNITS = {"rest": "REST calls", "graphql": "GraphQL points"}
_RESOURCES = {"core": "rest"}


@dataclass(slots=True)
class Bucket:
    """One hourly limit."""

    limit: int
    remaining: int
    resets_at: float
    """By GitHub's clock."""
    seen: deque[tuple[float, int]] = field(default_factory=deque)
    """(our time, remaining) in this hour."""


@dataclass(slots=True)
class _Pause:
    since: float
    until: float
    why: str
    outage: bool = False


class Budget:
    """What is known of the limits. `now` is our clock everywhere."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.skew = 0.0
        """GitHub's clock less ours, in seconds."""
        self.calls: dict[str, int] = {"rest": 0, "graphql": 0}
        self.stretched = 1.0
        """How far looks were slowed when last asked."""
        self.interval = 0.0
        """What they were slowed to, for the words; 0 while they are not."""
        self._buckets: dict[str, Bucket] = {}
        self._points: dict[str, deque[tuple[float, int]]] = {"rest": deque(), "graphql": deque()}
        self._spent: deque[tuple[float, int, float]] = deque()
        self._content: deque[float] = deque()
        self._pause: _Pause | None = None
        self._failures = 0
        self._probing: float | None = None
        self._answered: dict[str, float] = {}
        self._failed: dict[str, float] = {}
        self.down: dict[str, float] = {}
        """What is in trouble (`rest`, `graphql`) -> since when; until one of its calls succeeds."""
        self.on_recovery: list[Callable[[float], None]] = []
        """Told how many seconds that was, when it is over."""

    # May a call be made? ---------------------------------------------------------------------------

    def wait(self, kind: str, now: float, *, write: bool = False) -> float:
        """Seconds until a call may begin; 0: it may, and `began` is to be called."""
        return self.hold(kind, now, write=write)[0]

    def hold(self, kind: str, now: float, *, write: bool = False) -> tuple[float, str]:
        """The same, and what for, in words with a time."""
        pause = self._pausing(now)
        if pause and self._pause is not None:
            return pause, f"{self._pause.why}; next try in {_span(pause)}"
        out = 0.0 if self._probing is None else now - self._probing
        if self._failures and self._probing is not None and 0 <= out < PROBE:
            words = f"it was in trouble, and one call tries whether that is over; next try in {_span(PROBE - out)} at most"
            return _PROBING, words  # the others hear soon what came of it
        holds = [
            (self._for_bucket(kind, now, write=write), self._used_up(kind, write=write)),
            (
                self._for_points(kind, now, write=write),
                f"as many {_UNITS[kind]} as it allows in a minute are used",
            ),
        ]
        if write:
            holds.append((self._for_content(now), "as much was written there as it allows in that time"))
        wait, words = max(holds)
        return (wait, f"{words}; next try in {_span(wait)}") if wait else (0.0, "")

    def _used_up(self, kind: str, *, write: bool) -> str:
        bucket = self._buckets.get(kind)
        if bucket is None:
            return ""
        words = f"its limit of {bucket.limit} {_UNITS[kind]} an hour is used up"
        return (
            words
            if write or not bucket.remaining
            else f"{words} but for {bucket.remaining}, kept for writing"
        )

    def began(self, kind: str, now: float, *, write: bool = False) -> None:
        """A call goes out."""
        self.calls[kind] += 1
        self._points[kind].append((now, WRITE_POINTS if write else 1))
        if write:
            self._content.append(now)
        if self._failures:
            self._probing = now

    def _pausing(self, now: float) -> float:
        pause = self._pause
        if pause is None or now >= pause.until or now < pause.since:  # somebody set the clock back
            self._pause = None
            return 0.0
        return pause.until - now

    def _for_bucket(self, kind: str, now: float, *, write: bool) -> float:
        bucket = self._current(kind, now)
        if bucket is None:
            return 0.0
        floor = 0 if write else int(bucket.limit * RESERVE)
        return 0.0 if bucket.remaining > floor else max(1.0, bucket.resets_at - self.server(now) + 1.0)

    def _for_points(self, kind: str, now: float, *, write: bool) -> float:
        points = self._points[kind]
        _drop(points, now - 60.0)
        room = POINTS_A_MINUTE[kind] - sum(count for _, count in points) - (WRITE_POINTS if write else 1)
        return 0.0 if room >= 0 else max(0.1, points[0][0] + 60.0 - now)

    def _for_content(self, now: float) -> float:
        made = self._content
        while made and not now - 3600.0 < made[0] <= now:
            made.popleft()
        minute = [at for at in made if at > now - 60.0]
        wait = 0.0
        if len(minute) >= CONTENT_A_MINUTE:
            wait = minute[-CONTENT_A_MINUTE] + 60.0 - now
        if len(made) >= CONTENT_AN_HOUR:
            wait = max(wait, made[-CONTENT_AN_HOUR] + 3600.0 - now)
        return max(0.0, wait)

    # What came of it -------------------------------------------------------------------------------

    def heard(self, kind: str, status: int, headers: Mapping[str, str], now: float, *, cost: int = 1) -> None:
        """An answer came. `cost`: points, where GraphQL says them."""
        self._note_time(headers, now)
        self._note_left(kind, headers, now)
        self._spent.append((now, 0 if status == 304 else cost, self.stretched))
        self._probing = None
        if not in_trouble(status):
            self._failures = 0
            self._answered[kind] = now
            if self._pause is not None and self._pause.outage:
                self._pause = None
            if kind in self.down:
                lasted = now - self.down.pop(kind)
                for tell in self.on_recovery:
                    tell(lasted)

    def refused(self, delay: float, now: float, why: str = "") -> None:
        """GitHub asks the whole identity to wait (`Retry-After`, a secondary limit)."""
        until = max(now + delay, now + self._pausing(now))
        self._pause = _Pause(now, until, why or f"{self.host} asks to wait")

    def failed(self, now: float, kind: str = "rest", *, since: float | None = None) -> None:
        """No answer, or one of a server in trouble: wait twice as long each time, then one call tries.

        `since`: when the call began. One that began before GitHub was well again says nothing of now.
        """
        if since is not None and since < self._answered.get(kind, since):
            return
        self.down.setdefault(kind, now if since is None else since)
        self._failed[kind] = now
        if self._pausing(now):
            return  # others that were on their way
        self._failures += 1
        self._probing = None
        delay = min(FIRST_PAUSE * 2.0 ** (self._failures - 1), LONGEST_PAUSE)
        # What hung has waited already.
        until = max(now + FIRST_PAUSE, (now if since is None else since) + delay)
        self._pause = _Pause(now, until, f"{self.host} is in trouble", outage=True)

    def server(self, now: float) -> float:
        """The time by GitHub's clock."""
        return now + self.skew

    def _note_time(self, headers: Mapping[str, str], now: float) -> None:
        try:
            theirs = email.utils.parsedate_to_datetime(headers["date"]).timestamp()
        except (KeyError, ValueError, TypeError):
            return
        skew = theirs - now
        self.skew = 0.0 if abs(skew) < 2.0 else skew  # `Date` has whole seconds

    def _note_left(self, kind: str, headers: Mapping[str, str], now: float) -> None:
        try:
            limit = int(headers["x-ratelimit-limit"])
            remaining = int(headers["x-ratelimit-remaining"])
            resets_at = float(headers["x-ratelimit-reset"])
        except (KeyError, ValueError):
            return
        resource = headers.get("x-ratelimit-resource", "core" if kind == "rest" else kind)
        name = _RESOURCES.get(resource, resource)
        known = self._buckets.get(name)
        if known is not None and resets_at < known.resets_at - 5.0:
            return  # an answer that was overtaken
        if known is None or resets_at > known.resets_at + 5.0:
            known = self._buckets[name] = Bucket(limit, remaining, resets_at)
        known.limit, known.remaining = limit, min(known.remaining, remaining)
        known.seen.append((now, known.remaining))
        _drop(known.seen, now - WINDOW)

    def _current(self, kind: str, now: float) -> Bucket | None:
        """A limit as it stands; None when it is not known, or full again."""
        bucket = self._buckets.get(kind)
        return None if bucket is None or self.server(now) >= bucket.resets_at else bucket

    # How far to slow down ----------------------------------------------------------------------------

    def stretch(self, now: float) -> float:
        """By how much looks are to come more rarely, so that what is left lasts to the reset; 1: not at all."""
        bucket = self._current("graphql", now)
        if bucket is None:
            self.stretched = 1.0
            return 1.0
        ours, others = self._rates(bucket, now)
        left = max(0.0, bucket.remaining - bucket.limit * RESERVE)
        allowed = left / max(1.0, bucket.resets_at - self.server(now)) - others
        wanted = ours / allowed if allowed > 0 else MOST_STRETCH if ours else 1.0
        self.stretched = min(max(1.0, wanted), MOST_STRETCH)
        return self.stretched

    def quota(self, now: float) -> tuple[float, float] | None:
        """Points that looks may still take, and the seconds until there are all again; None: not known."""
        bucket = self._current("graphql", now)
        if bucket is None:
            return None
        left = max(0.0, bucket.remaining - bucket.limit * RESERVE)
        return left, max(1.0, bucket.resets_at - self.server(now))

    def _rates(self, bucket: Bucket, now: float) -> tuple[float, float]:
        """Points a second: ours as they would be without slowing, and those of others."""
        while self._spent and not now - WINDOW < self._spent[0][0] <= now:
            self._spent.popleft()
        _drop(bucket.seen, now - WINDOW)
        if not self._spent:
            return 0.0, 0.0
        span = max(SETTLE, now - self._spent[0][0])
        ours = sum(cost for _, cost, _ in self._spent) / span
        unslowed = sum(cost * slowed for _, cost, slowed in self._spent) / span
        if len(bucket.seen) < 2 or now - bucket.seen[0][0] < SETTLE:
            return unslowed, 0.0
        drop = (bucket.seen[0][1] - bucket.remaining) / (now - bucket.seen[0][0])
        return unslowed, max(0.0, drop - ours)

    # For people --------------------------------------------------------------------------------------

    def words(self, now: float) -> str:
        """A forecast where it matters; else nothing."""
        pause = self._pausing(now)
        if pause and self._pause is not None:
            return f"{self._pause.why}; next try in {_span(pause)}"
        # A pause that has run out is not the end of an outage: that is a call that succeeds.
        if any(0 <= now - self._failed.get(kind, now) < TROUBLE_TOLD for kind in self.down):
            return f"{self.host} is in trouble; the next call tries whether that is over"
        empty = [name for name in ("graphql", "rest") if self._for_bucket(name, now, write=False) > 0]
        if empty:
            return f"limit reached; looks go on in {_span(self._for_bucket(empty[0], now, write=False))}"
        bucket = self._current("graphql", now)
        if bucket is None or self.stretched <= 1.05:
            return ""
        ours, others = self._rates(bucket, now)
        rate = ours + others
        forecast = f"limit in {_span(bucket.remaining / rate)}; " if rate > 0 else ""
        return f"{forecast}slowed to {self.interval:.0f} s"

    def meters(self, now: float) -> Sequence[Meter]:
        """What is left of each limit, as last heard."""
        words = self.words(now)
        rows = []
        for kind in ("graphql", "rest"):
            bucket = self._buckets.get(kind)
            full = bucket is not None and self._current(kind, now) is None
            rows.append(
                Meter(
                    name=f"{self.host} {kind}",
                    limit=bucket.limit if bucket else 0,
                    remaining=0 if bucket is None else bucket.limit if full else bucket.remaining,
                    resets_at=bucket.resets_at - self.skew if bucket else 0.0,
                    calls=self.calls[kind],
                    words=words if kind == "graphql" else "",
                )
            )
        return rows


def in_trouble(status: int) -> bool:
    """Whether a status says that the server is in trouble, and not the call."""
    return status >= 500 and status != _NOT_BUILT


def _drop(rows: deque[tuple[float, int]], before: float) -> None:
    while len(rows) > 1 and rows[0][0] < before:
        rows.popleft()
    if rows and rows[0][0] < before:
        rows.popleft()


def _span(seconds: float) -> str:
    return f"{max(1, round(seconds / 60))} min" if seconds >= 90 else f"{max(1, round(seconds))} s"
