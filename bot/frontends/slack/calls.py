"""Calls of Slack's Web API: one queue for each key, a time limit, and Slack's errors as ours."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import aiohttp
from slack_sdk.errors import SlackApiError

from orchestrator.clock import Clock
from orchestrator.errors import AoError, NotAllowed, NotFound, PermanentError, TemporaryError

T = TypeVar("T")
LIMIT = 30.0
"""Seconds that a call may take."""
_GONE = frozenset({"message_not_found", "thread_not_found", "channel_not_found", "is_archived"})
_PASSING = frozenset(
    {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
)
_RIGHTS = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "missing_scope", "not_in_channel"}
)
_STEPS = {
    "not_in_channel": "Invite the bot into that channel: `/invite @ao`.",
    "missing_scope": "Give the app the scopes of its manifest and install it again.",
}
HARMLESS = frozenset({"already_reacted", "no_reaction"})
"""Errors that say that it is so already."""


class Calls:
    """Calls with one key go one after the other; one that is told to wait holds up its key alone."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._turns: dict[str, asyncio.Lock] = {}
        self._not_before: dict[str, float] = {}
        self.made = 0
        """How many were made."""

    async def call(self, key: str, make: Callable[[], Awaitable[T]]) -> T:
        """Make a call. Raises `TemporaryError`, `NotFound`, `NotAllowed`, `PermanentError`.

        `already_reacted` and `no_reaction` are raised as Slack's own error: whoever asked knows them.
        """
        async with self._turns.setdefault(key, asyncio.Lock()):
            rest = self._not_before.get(key, 0.0) - self._clock.monotonic()
            if rest > 0:
                await self._clock.sleep(rest)
            self.made += 1
            try:
                async with asyncio.timeout(LIMIT):
                    return await make()
            except SlackApiError as error:
                raise self._of_slack(key, error) from error
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                msg = f"Slack does not answer: {type(error).__name__}."
                raise TemporaryError(msg, delay=2.0) from error

    def _of_slack(self, key: str, error: SlackApiError) -> Exception:
        response: Any = error.response
        code = str(response.get("error", "")) if hasattr(response, "get") else ""
        status = int(getattr(response, "status_code", 0) or 0)
        if code in HARMLESS:
            return error
        if status == 429 or code in _PASSING or status >= 500:
            delay = _delay(response)
            self._not_before[key] = self._clock.monotonic() + delay
            msg = f"Slack asks to wait ({code or status})."
            return TemporaryError(msg, delay=delay)
        return _of_code(code)


def _of_code(code: str) -> AoError:
    if code in _GONE:
        msg = f"it is gone in Slack ({code})."
        return NotFound(msg)
    if code in _RIGHTS:
        msg = f"Slack refuses: {code}."
        return NotAllowed(msg, next_step=_STEPS.get(code, "Look at the tokens of `chat.slack`."))
    msg = f"Slack refuses: {code or 'an answer that is not understood'}."
    return PermanentError(msg)


def _delay(response: Any) -> float:  # noqa: ANN401 - slack_sdk's answer
    headers = getattr(response, "headers", None) or {}
    for name in ("Retry-After", "retry-after"):
        text = str(headers.get(name, ""))
        if text.isdigit():
            return max(float(text), 1.0)
    return 5.0
