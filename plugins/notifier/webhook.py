"""Notifier `webhook`: posts each notification to an address, signed, and again where that may help.

    url: https://example.org/hook           # or preset: pagerduty | opsgenie | ntfy, with its key or topic
    secret: ${HOOK_SECRET}

With a secret, `X-AO-Signature: sha256=<hex>` is the HMAC-SHA256 of `<X-AO-Timestamp>.<raw body>`: a
receiver checks both, and refuses an old timestamp. `X-AO-Delivery` is the notification's key: the same
key is the same notification, also when it comes twice. Nothing of an address but its host is ever
shown, and no header or key.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Literal

from typing_extensions import override

from orchestrator.domain.notification import Notification
from orchestrator.domain.outside_text import excerpt
from orchestrator.errors import PermanentError, TemporaryError
from orchestrator.ports.notifier import NOTIFIER, Delivered, Notifier
from orchestrator.ports.plugin import Field, OptionProblem, Options, Plugin, PluginContext
from plugins._shared import alert_shapes

if TYPE_CHECKING:
    from plugins._shared.http_client import Answer, HttpClient

_ADDRESSES = {
    "pagerduty": "https://events.pagerduty.com/v2/enqueue",
    "opsgenie": "https://api.opsgenie.com/v2/alerts",
    "ntfy": "https://ntfy.sh",
}
_NEEDS = {"pagerduty": "routing_key", "opsgenie": "api_key", "ntfy": "topic"}
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_PATIENCE = 30.0
"""Seconds that one delivery waits between its tries, all together; longer waits are the caller's."""


class WebhookOptions(Options):
    """The notifier's block."""

    url: str = ""
    """Where to post. A preset has its own address; one written here is used instead."""
    preset: Literal["", "pagerduty", "opsgenie", "ntfy"] = ""
    """The form of the body; empty for ours."""
    headers: dict[str, str] = Field(default={})
    """Further headers. They may hold credentials and are never shown."""
    secret: str = ""
    """Signs every body."""
    routing_key: str = ""
    """PagerDuty's integration key (Events API v2)."""
    api_key: str = ""
    """Opsgenie's API key."""
    topic: str = ""
    """ntfy's topic."""
    token: str = ""
    """ntfy's access token, for a protected topic."""
    timeout: float = 10.0
    """Seconds for one try."""
    retries: int = 2
    """Tries after the first, for failures that may pass."""
    retry_delay_ms: int = 500
    """Milliseconds before the first retry; doubled each time."""

    @override
    @classmethod
    def problems(cls, raw: Mapping[str, object]) -> list[OptionProblem]:
        found = super().problems(raw)
        if found:
            return found
        options = cls.model_validate(dict(raw))
        wrong: list[tuple[str, str]] = []
        if options.preset and not getattr(options, _NEEDS[options.preset]):
            wrong.append((_NEEDS[options.preset], f"is needed for preset {options.preset}"))
        if not options.preset and not options.url:
            wrong.append(("url", "is needed unless a preset is named"))
        if options.url and not options.url.startswith(("http://", "https://")):
            wrong.append(("url", "must begin with https:// or http://"))
        if not 0 < options.timeout <= 60:
            wrong.append(("timeout", "must be between 0 and 60 seconds"))
        if not 0 <= options.retries <= 10:
            wrong.append(("retries", "must be between 0 and 10"))
        return [OptionProblem(path=(field,), text=text) for field, text in wrong]


class WebhookNotifier(Notifier):
    """Posts notifications."""

    def __init__(
        self,
        options: WebhookOptions,
        client: HttpClient,
        now: Callable[[], float],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._options = options
        self._url = options.url or _ADDRESSES[options.preset]
        self._client = client
        self._now = now
        self._pause = pause

    @override
    async def notify(self, notification: Notification) -> Delivered:
        shape = _shape(self._options, notification)
        body = shape.data()
        delay, waited = self._options.retry_delay_ms / 1000, 0.0
        for left in range(self._options.retries, -1, -1):
            failure = await self._try(notification.key, body, shape.headers)
            if failure is None:
                return Delivered()
            wait = max(failure.delay, delay)
            if left == 0 or waited + wait > _PATIENCE:
                raise failure
            await self._pause(wait)
            waited, delay = waited + wait, delay * 2
        raise AssertionError  # The last round returns or raises.

    @override
    async def ready(self) -> str:
        return ""  # Whether somebody listens shows only when something is sent.

    @override
    async def aclose(self) -> None:
        await self._client.close()

    async def _try(self, key: str, body: bytes, headers: Mapping[str, str]) -> TemporaryError | None:
        """One try: None when it was taken, the failure when it may pass. Raises `PermanentError`."""
        whole = {
            "Content-Type": "application/json",
            "User-Agent": "agent-orchestrator",
            **headers,
            **self._options.headers,
            **self._signed(key, body),
        }
        try:
            answer = await self._client.post(self._url, body, whole)
        except TemporaryError as error:
            return TemporaryError(error.what, delay=0.0)
        if 200 <= answer.status < 300:
            return None
        words = f"the webhook at {self._host} answered {answer.status}: {self._quoted(answer)}".rstrip(": ")
        if answer.status in _PASSING:
            return TemporaryError(words, delay=_retry_after(answer, self._now()))
        raise PermanentError(words)

    def _signed(self, key: str, body: bytes) -> dict[str, str]:
        printable = "".join(character for character in key if 32 < ord(character) < 127)
        headers = {"X-AO-Delivery": printable[:200]}
        if self._options.secret:
            timestamp = str(int(self._now()))
            signature = sign(self._options.secret, timestamp, body)
            headers |= {"X-AO-Timestamp": timestamp, "X-AO-Signature": signature}
        return headers

    @property
    def _host(self) -> str:
        from plugins._shared.http_client import server

        return server(self._url)

    def _quoted(self, answer: Answer) -> str:
        """The beginning of what the server said; it may repeat what we sent."""
        options = self._options
        known = (
            options.secret,
            options.routing_key,
            options.api_key,
            options.token,
            options.topic,
            self._url,
        )
        # Also the word behind `Bearer`.
        words = [word for value in options.headers.values() for word in (value, *value.split())]
        return excerpt(answer.body, 200, known=(*known, *words)).replace("\n", " ")


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The value of `X-AO-Signature`."""
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"sha256={digest.hexdigest()}"


def _shape(options: WebhookOptions, notification: Notification) -> alert_shapes.Shape:
    match options.preset:
        case "pagerduty":
            return alert_shapes.pagerduty(notification, options.routing_key)
        case "opsgenie":
            return alert_shapes.opsgenie(notification, options.api_key)
        case "ntfy":
            return alert_shapes.ntfy(notification, options.topic, options.token)
        case "":
            return alert_shapes.plain(notification)


def _retry_after(answer: Answer, now: float) -> float:
    """The seconds that the server asks for, as a number or a date; 0 when it names none."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(parsedate_to_datetime(text).timestamp() - now, 0.0)
    except (TypeError, ValueError):
        return 0.0


def _create(options: Options, context: PluginContext) -> WebhookNotifier:
    from plugins._shared.http_client import HttpClient

    assert isinstance(options, WebhookOptions)  # noqa: S101 - the registry validated them as such
    return WebhookNotifier(options, HttpClient(options.timeout), context.now)


PLUGIN = Plugin(
    slot=NOTIFIER,
    name="webhook",
    summary="posts to an address, signed; forms for PagerDuty, Opsgenie and ntfy",
    create=_create,
    options=WebhookOptions,
)
