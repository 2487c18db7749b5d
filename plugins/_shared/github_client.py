"""Calls to GitHub's REST and GraphQL interfaces. PyGithub is met only here.

    hub = client(options.api_url, Token(text), context)     # one for each address and identity: they share quotas
    answer = await hub.rest("GET", "/repos/o/r/pulls/1", etag=known)     # answer.fresh is False for a 304
    rows = await hub.pages("/repos/o/r/labels")
    said = await hub.graphql(DOCUMENT, {"owner": "o"})                   # said.data beside said.errors

PyGithub blocks, so its calls run in threads of their own with a time limit; it neither retries nor waits
here: how often we call is the budget's business. Errors are ours and hold no credential.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from orchestrator.errors import (
    AoError,
    BadInput,
    Conflict,
    NotAllowed,
    NotFound,
    PermanentError,
    TemporaryError,
)

if TYPE_CHECKING:
    from github.Auth import Auth
    from github.Requester import Requester

PUBLIC = "https://api.github.com"
TIMEOUT = 20.0
"""Seconds that one call may take."""
THREADS = 8
"""Calls at a time for one identity; GitHub allows 100 at once for a user."""
PER_PAGE = 100
MOST_PAGES = 50
_BODY_SHOWN = 300

Json = Any
"""What a JSON document holds: whoever reads it checks it."""


class Identity(Protocol):
    """Whom we act as. Equal identities of one address share a client."""

    @property
    def key(self) -> str:
        """Tells identities apart; not a secret."""

    def auth(self) -> Auth:
        """Made in a client's thread: it may go outside (an App's installation token)."""


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


Listener = Callable[[str, Answer], None]
"""Told of every answer: kind (`rest`, `graphql`) and what came."""


class GitHub:
    """One identity at one address."""

    def __init__(self, url: str, identity: Identity, *, listener: Listener | None = None) -> None:
        self.url = url.rstrip("/")
        self.identity = identity
        self._listener = listener
        self._executor = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="github")
        self._requester: Requester | None = None
        self._opening = asyncio.Lock()

    @property
    def host(self) -> str:
        """The web address's host: `github.com`."""
        return web_host(self.url)

    async def rest(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Json = None,
        etag: str = "",
        accept: str = "",
    ) -> Answer:
        """One call. Raises what `refusal` says of another status than 2xx and 304."""
        headers = {"If-None-Match": etag} if etag else {}
        if accept:
            headers["Accept"] = accept
        requester = await self._open()
        status, said, text = await self._call(
            f"{method} {path}",
            lambda: requester.requestJson(
                method, path, dict(query or {}), headers, body, follow_302_redirect=True
            ),
        )
        answer = Answer(status, said, None if status == 304 else _parsed(text, said))
        if self._listener is not None:
            self._listener("rest", answer)
        if status >= 300 and status != 304:
            raise refusal(answer, f"{method} {path}", self.host)
        return answer

    async def pages(
        self,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        within: str = "",
        most: int = MOST_PAGES,
    ) -> list[Json]:
        """All rows of a list, page by page; `within` names the list where the answer is an object."""
        rows: list[Json] = []
        for page in range(1, most + 1):
            answer = await self.rest("GET", path, query={"per_page": PER_PAGE, **(query or {}), "page": page})
            found = answer.data.get(within, []) if within else answer.data
            rows += found
            if 'rel="next"' not in answer.headers.get("link", ""):
                break
        return rows

    async def graphql(self, document: str, variables: Mapping[str, Json] | None = None) -> Said:
        """One query or mutation. What is missing of the facts stands in `errors`; raises when there are none."""
        requester = await self._open()
        body = {"query": document, "variables": dict(variables or {})}
        name = document.split("(", 1)[0].split("{", 1)[0].strip() or "query"
        status, headers, text = await self._call(
            f"GraphQL {name}", lambda: requester.requestJson("POST", requester.graphql_url, None, None, body)
        )
        answer = Answer(status, headers, _parsed(text, headers))
        if self._listener is not None:
            self._listener("graphql", answer)
        if status >= 300:
            raise refusal(answer, f"GraphQL {name}", self.host)
        errors = answer.data.get("errors") or ()
        data = answer.data.get("data")
        if data is None:
            raise graphql_refusal(errors, name, self.host)
        return Said(data, errors, headers)

    async def close(self) -> None:
        """Let the threads go. Repeatable."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        if self._requester is not None:
            self._requester.close()

    async def _open(self) -> Requester:
        async with self._opening:
            if self._requester is None:
                self._requester = await self._call("signing in", self._make)
            return self._requester

    def _make(self) -> Requester:
        from github import Github

        # At INFO it tells of redirections, at DEBUG of whole requests with their bodies.
        logging.getLogger("github").setLevel(logging.WARNING)
        hub = Github(
            auth=self.identity.auth(),
            base_url=self.url,
            timeout=int(TIMEOUT),
            user_agent="agent-orchestrator",
            per_page=PER_PAGE,
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
            lazy=True,
        )
        return hub.requester

    async def _call(self, what: str, call: Callable[[], Any]) -> Any:  # noqa: ANN401 - as the call returns
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(TIMEOUT + 5.0):
                return await loop.run_in_executor(self._executor, call)
        except TimeoutError as error:
            msg = f"{self.host} does not answer within {TIMEOUT:.0f} s ({what})."
            raise TemporaryError(msg) from error
        except (AoError, asyncio.CancelledError):
            raise
        except OSError as error:  # requests' errors are of this kind
            msg = f"{self.host} cannot be reached ({what}: {type(error).__name__})."
            raise TemporaryError(msg) from None
        except (ValueError, RuntimeError, AssertionError) as error:
            msg = f"{self.host} answered in a way that cannot be read ({what}: {type(error).__name__})."
            raise TemporaryError(msg) from None


def web_host(api_url: str) -> str:
    """The host that people see, from the address of the interface."""
    parts = urlsplit(api_url)
    host = parts.netloc.rpartition("@")[2]
    return "github.com" if host == "api.github.com" else host


def refusal(answer: Answer, what: str, host: str) -> AoError:
    """The error that an HTTP status means for the caller (docs.github.com: REST, troubleshooting)."""
    said = message_of(answer)
    words = f"{host}: {said} ({what}, {answer.status})"
    if answer.status == 429 or (answer.status == 403 and _limited(answer)):
        return TemporaryError(words, delay=_delay(answer))
    if answer.status >= 500:
        return TemporaryError(words)
    if answer.status == 401:
        return NotAllowed(words, next_step="Renew the token; `ao github doctor` says what it may do.")
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


def _limited(answer: Answer) -> bool:
    return (
        "retry-after" in answer.headers
        or answer.headers.get("x-ratelimit-remaining") == "0"
        or "rate limit" in message_of(answer).lower()
    )


def _delay(answer: Answer) -> float:
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isdigit() else 60.0


def _parsed(text: str, headers: Mapping[str, str]) -> Json:
    """The document; plain text as it is (a job's log); HTML where JSON was due is an outage."""
    kind = headers.get("content-type", "")
    if not text:
        return None
    if "json" in kind:
        return json.loads(text)
    if "html" in kind:
        msg = "GitHub answered with a web page instead of data."
        raise TemporaryError(msg)
    return text
