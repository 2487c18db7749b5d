"""What every delivery must pass: its path, its size, its time, its signature. Everything else is 404."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from bot.frontends.api.guard import Body, TooLarge, TooSlow, drain, too_large
from orchestrator.errors import AoError, BadInput, NotAllowed, NotFound
from orchestrator.services.hook_news import HookNews, Outcome
from orchestrator.services.webhooks import Receiver, Way

log = logging.getLogger(__name__)
BODY_WITHIN = 10.0
"""Seconds in which a delivery must have come; GitHub itself waits ten for the answer."""
AT_ONCE = 64
"""Deliveries that are read at once; more are told to come again, and polling covers them."""
HELD = 32 * 1024 * 1024
"""Bytes that all of them may have together, by the lengths that they tell: nobody fills the memory unsigned."""
COMPLAIN_EVERY = 60.0
"""Seconds between two lines in the log about deliveries that were refused."""
_DRAIN_MOST = 1 << 20
_ANSWERS = {
    Outcome.TAKEN: (202, "taken"),
    Outcome.REPEATED: (202, "taken before"),
    Outcome.FORGED: (401, "not signed with our secret"),
    Outcome.FOREIGN: (404, "not found"),
    Outcome.UNREADABLE: (400, "cannot be read"),
    Outcome.LARGE: (413, "too large"),
    Outcome.SLOW: (408, "too slow"),
    Outcome.BUSY: (503, "too many at once"),
    Outcome.FAILED: (503, "could not be kept"),
}
"""Status and words; strangers are told no more."""


class Door:
    """The ASGI application of the listener."""

    def __init__(
        self,
        receiver: Receiver,
        news: HookNews,
        monotonic: Callable[[], float],
        *,
        body_within: float = BODY_WITHIN,
        at_once: int = AT_ONCE,
        held: int = HELD,
    ) -> None:
        self._receiver = receiver
        self._news = news
        self._monotonic = monotonic
        self._body_within = body_within
        self._at_once = at_once
        self._most_held = held
        self._reading = 0
        self._held = 0
        self._complained = -COMPLAIN_EVERY
        self._held_back = 0
        """Refused since the last line in the log."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        ways = self._receiver.ways(scope["path"]) if scope["method"] == "POST" else ()
        outcome = await self._take(Headers(scope=scope), receive, ways) if ways else Outcome.FOREIGN
        status, words = _ANSWERS[outcome]
        headers = {"Retry-After": "10"} if status == 503 else {}
        if status in {404, 408, 413, 503}:
            headers["Connection"] = "close"  # what was not read must not be taken for the next request
        await PlainTextResponse(f"{words}\n", status, headers)(scope, receive, send)

    async def _take(self, headers: Headers, receive: Receive, ways: Sequence[Way]) -> Outcome:
        """Take a delivery, or refuse it and say so in the log."""
        most = max(way.most for way in ways)
        told = headers.get("content-length", "")
        size = min(int(told), most) if told.isascii() and told.isdigit() else most
        if self._reading >= self._at_once or (self._reading and self._held + size > self._most_held):
            return self._refused(Outcome.BUSY, f"{self._reading} are being read already")
        self._reading, self._held = self._reading + 1, self._held + size
        try:
            body = await _whole(headers, receive, self._body_within, most)
            fitting = [way for way in ways if len(body) <= way.most]
            return await self._receiver.receive(fitting, dict(headers), body)
        except AoError as error:
            outcome = _outcome(error)
            if outcome is Outcome.FAILED:  # counted under its event
                self._complain(error.what)
                return outcome
            return self._refused(outcome, error.what)
        finally:
            self._reading, self._held = self._reading - 1, self._held - size

    def _refused(self, outcome: Outcome, why: str) -> Outcome:
        self._news.count(outcome)
        self._complain(why)
        return outcome

    def _complain(self, why: str) -> None:
        now = self._monotonic()
        if now - self._complained < COMPLAIN_EVERY:
            self._held_back += 1
            return
        more = f" ({self._held_back} more were refused since the last line)" if self._held_back else ""
        self._complained, self._held_back = now, 0
        log.warning("a webhook's delivery was refused: %s%s", why, more)


async def _whole(headers: Headers, receive: Receive, within: float, most: int) -> bytes:
    """The whole body. Raises `TooLarge`, before reading where its length is told; `TooSlow`; `BadInput`."""
    length = headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length) > most:
        await drain(receive, _DRAIN_MOST)
        raise too_large(most)
    body, parts = Body(receive, within, most), []
    while True:
        part = await body.receive()
        if part["type"] == "http.disconnect":
            msg = "whoever sent it went away before it was whole."
            raise BadInput(msg)
        parts.append(part.get("body", b""))
        if not part.get("more_body", False):
            return b"".join(parts)


def _outcome(error: AoError) -> Outcome:
    for kind, outcome in (
        (TooLarge, Outcome.LARGE),
        (TooSlow, Outcome.SLOW),
        (NotAllowed, Outcome.FORGED),
        (NotFound, Outcome.FOREIGN),
        (BadInput, Outcome.UNREADABLE),
    ):
        if isinstance(error, kind):
            return outcome
    return Outcome.FAILED
