"""What GitHub answers, and the error that each refusal means for the caller. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from orchestrator.errors import (
    AoError,
    BadInput,
    Conflict,
    NotAllowed,
    NotFound,
    PermanentError,
    SignedOut,
    TemporaryError,
)

_BODY_SHOWN = 300

Json = Any
"""What a JSON document holds: whoever reads it checks it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What GitHub answered."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    data: Json = None

    @property
    def fresh(self) -> bool:
        """False when nothing changed since the etag that was sent (304)."""
        return self.status != 304

    @property
    def etag(self) -> str:
        """Sent again it makes the call conditional. Keep it only once what it stands for is kept."""
        return self.headers.get("etag", "")


@dataclass(frozen=True, slots=True)
class Said:
    """What GraphQL answered: facts, and what could not be had of them."""

    data: Mapping[str, Json]
    errors: Sequence[Mapping[str, Json]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


def web_host(api_url: str) -> str:
    """The host that people see, from the address of the interface."""
    parts = urlsplit(api_url)
    host = parts.netloc.rpartition("@")[2]
    return "github.com" if host == "api.github.com" else host


def refusal(answer: Answer, what: str, host: str) -> AoError:
    """The error that an HTTP status means for the caller (docs.github.com: REST, troubleshooting)."""
    said = message_of(answer)
    words = f"{host}: {said} ({what}, {answer.status})"
    if answer.status == 429 or (answer.status == 403 and limited(answer)):
        return TemporaryError(words, delay=delay_of(answer))
    if (
        answer.status >= 500 and answer.status != 501
    ):  # that one is not built there, and will not be in a moment
        return TemporaryError(words)
    if answer.status == 401:
        return SignedOut(words, next_step="Renew the token; `ao github doctor` says what it may do.")
    if answer.status == 403:
        return NotAllowed(words, next_step="`ao github doctor` names the missing permission.")
    if answer.status in {404, 410}:
        return NotFound(words)
    if answer.status == 409:
        return Conflict(words)
    if answer.status in {400, 422}:
        return BadInput(words)
    return PermanentError(words)


def graphql_refusal(errors: Sequence[Mapping[str, Json]], what: str, host: str) -> AoError:
    """The error for a GraphQL answer without facts."""
    first = errors[0] if errors else {}
    words = f"{host}: {str(first.get('message', 'no facts'))[:_BODY_SHOWN]} (GraphQL {what})"
    kind = first.get("type")
    if kind == "RATE_LIMITED":
        return TemporaryError(words, delay=60.0)
    if kind == "NOT_FOUND":
        return NotFound(words)
    if kind in {"FORBIDDEN", "INSUFFICIENT_SCOPES"}:
        return NotAllowed(words, next_step="`ao github doctor` names the missing permission.")
    return PermanentError(words)


def message_of(answer: Answer) -> str:
    """What GitHub says, on one line and bounded."""
    if isinstance(answer.data, dict) and answer.data.get("message"):
        details = answer.data.get("errors") or ()
        more = [str(d.get("message", "")) if isinstance(d, dict) else str(d) for d in details]
        return " ".join([str(answer.data["message"]), *filter(None, more)])[:_BODY_SHOWN]
    return "no reason was given"


def limited(answer: Answer) -> bool:
    """A 403 or 429 that is about how often we call, and not about rights."""
    return (
        "retry-after" in answer.headers
        or answer.headers.get("x-ratelimit-remaining") == "0"
        or "rate limit" in message_of(answer).lower()
    )


def delay_of(answer: Answer, now: float = 0.0) -> float:
    """Seconds to wait: as `Retry-After` says, or until the limit is full again, or a minute. `now`: GitHub's."""
    text = answer.headers.get("retry-after", "")
    if text.isdigit():
        return float(text)
    reset = answer.headers.get("x-ratelimit-reset", "")
    if now and answer.headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        return max(1.0, float(reset) - now)
    return 60.0


def parsed(text: str, headers: Mapping[str, str]) -> Json:
    """The document; plain text as it is (a job's log); HTML where JSON was due is an outage."""
    kind = headers.get("content-type", "")
    if not text:
        return None
    if "json" in kind:
        try:
            return json.loads(text)
        except ValueError:
            msg = "GitHub answered with half a document."
            raise TemporaryError(msg) from None
    if "html" in kind:
        msg = "GitHub answered with a web page instead of data."
        raise TemporaryError(msg)
    return text


def moved_to(answer: Answer, url: str) -> str:
    """The path on the same server that an answer sends us to; empty for any other answer. `url`: the interface's."""
    if answer.status not in {301, 307, 308}:
        return ""
    to, here = urlsplit(answer.headers.get("location", "")), urlsplit(url)
    if (to.scheme, to.netloc) != (here.scheme, here.netloc):
        return ""
    path = to.path.removeprefix(here.path.rstrip("/"))
    return f"{path}?{to.query}" if parse_qsl(to.query) else path
