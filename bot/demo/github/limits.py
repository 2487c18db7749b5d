"""Rate limits as GitHub has them: a bucket an hour for REST, GraphQL and search, and secondary limits.

https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from bot.demo.github.refusals import Json, Refused
from bot.demo.github.world import Clock

_SIZES = {"core": (5000, 3600.0), "graphql": (5000, 3600.0), "search": (30, 60.0)}
_NOBODY = {"core": (60, 3600.0), "graphql": (0, 3600.0), "search": (10, 60.0)}
CONTENT_A_MINUTE = 80
CONTENT_AN_HOUR = 500
POINTS_REST, POINTS_GRAPHQL = 900, 2000
"""A minute."""


@dataclass(slots=True)
class Bucket:
    """What is left until the reset."""

    limit: int
    resets_at: float
    used: int = 0

    @property
    def remaining(self) -> int:
        """Never below 0."""
        return max(0, self.limit - self.used)

    def headers(self, name: str) -> dict[str, str]:
        """As each answer carries them."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(int(self.resets_at)),
            "X-RateLimit-Used": str(self.used),
            "X-RateLimit-Resource": name,
        }

    def shape(self) -> Json:
        """As `/rate_limit` says it."""
        return {
            "limit": self.limit, "used": self.used, "remaining": self.remaining, "reset": int(self.resets_at)
        }  # fmt: skip


@dataclass(slots=True)
class Limits:
    """All buckets."""

    clock: Clock
    sizes: dict[str, int] = field(default_factory=dict)
    """Other sizes, by bucket's name."""
    secondary: bool = False
    """Refuse what comes too fast: content (80 a minute, 500 an hour), and points (900 a minute of REST)."""
    _buckets: dict[tuple[str, str], Bucket] = field(default_factory=dict)
    _spent: dict[str, deque[tuple[float, int]]] = field(default_factory=dict)
    _made: dict[str, deque[float]] = field(default_factory=dict)

    def bucket(self, who: str, name: str) -> Bucket:
        """The present one."""
        now = self.clock.now()
        found = self._buckets.get((who, name))
        if found is None or found.resets_at <= now:
            size, seconds = (_NOBODY if who == "nobody" else _SIZES)[name]
            found = Bucket(self.sizes.get(name, size), now + seconds)
            self._buckets[who, name] = found
        return found

    def take(self, who: str, name: str, cost: int = 1) -> Bucket:
        """Raises `Refused` when nothing is left."""
        found = self.bucket(who, name)
        if found.used + cost > found.limit:
            message = f"API rate limit exceeded for {who}."
            raise Refused(403, message, headers=found.headers(name))
        found.used += cost
        return found

    def give_back(self, who: str, name: str) -> None:
        """A 304 costs nothing."""
        found = self.bucket(who, name)
        found.used = max(0, found.used - 1)

    def spend(self, who: str, points: int) -> None:
        """Count points of the last minute: 1 for what reads, 5 for what writes; 900 for REST, 2,000 for GraphQL."""
        now = self.clock.now()
        spent = self._spent.setdefault(who, deque())
        while spent and spent[0][0] <= now - 60:
            spent.popleft()
        size = POINTS_GRAPHQL if who.startswith("graphql ") else POINTS_REST
        if self.secondary and sum(row[1] for row in spent) + points > size:
            message = (
                "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
            )
            raise Refused(403, message, headers={"Retry-After": "60"})
        spent.append((now, points))

    def made_content(self, who: str) -> None:
        """Count something that makes content. Raises `Refused` with Retry-After when it comes too fast."""
        now = self.clock.now()
        times = self._made.setdefault(who, deque())
        while times and times[0] <= now - 3600:
            times.popleft()
        last_minute = sum(1 for at in times if at > now - 60)
        if self.secondary and (last_minute >= CONTENT_A_MINUTE or len(times) >= CONTENT_AN_HOUR):
            message = "You have exceeded a secondary rate limit and have been temporarily blocked from content creation."
            raise Refused(403, message, headers={"Retry-After": "60"})
        times.append(now)
