"""How fast an app may call: Slack's tiers, and about one post a second in a channel."""

from __future__ import annotations

from collections.abc import Callable

from bot.demo.slack_refusals import Refused

_TIERS = {1: 1, 2: 20, 3: 50, 4: 100}
_METHOD_TIER = {
    "apps.connections.open": 1,
    "reactions.remove": 2, "conversations.list": 2, "users.list": 2,
    "views.open": 4, "views.update": 4, "views.push": 4, "views.publish": 4,
    "chat.postEphemeral": 4, "users.info": 4, "files.getUploadURLExternal": 4, "files.completeUploadExternal": 4,
}  # fmt: skip
_POST_BURST = 3


class Pacing:
    """Counts calls as Slack does: `chat.postMessage` about one a second and channel, the rest by tier a minute."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}

    def take(self, method: str, channel: str) -> None:
        """Count one call. Raises `Refused` when it comes too early."""
        if method == "chat.postMessage":
            self._take((method, channel), size=_POST_BURST, per_second=1.0)
        elif method not in {"auth.test", "chat.getPermalink"}:
            minute = _TIERS[_METHOD_TIER.get(method, 3)]
            self._take((method, ""), size=max(minute, 10 if minute == 1 else 0), per_second=minute / 60)

    def _take(self, key: tuple[str, str], *, size: float, per_second: float) -> None:
        now = self._now()
        left, since = self._buckets.get(key, (size, now))
        left = min(size, left + (now - since) * per_second)
        if left < 1:
            self._buckets[key] = left, now
            raise Refused.too_fast((1 - left) / per_second)
        self._buckets[key] = left - 1, now
