"""Calls to GitHub's REST and GraphQL interfaces. PyGithub is met only here.

    hub = client(options.api_url, Token(text), context)     # one for each address and identity: they share quotas
    answer = await hub.rest("GET", "/repos/o/r/pulls/1", etag=known)     # answer.fresh is False for a 304
    rows = await hub.pages("/repos/o/r/labels")
    said = await hub.graphql(DOCUMENT, {"owner": "o"})                   # said.data beside said.errors

PyGithub blocks, so its calls run in threads of their own with a time limit, over `wire`. It neither
retries nor waits: `hub.budget` says when a call may begin. A look that may not begin now is a
`TemporaryError`; what makes content waits for its turn. Errors are ours and hold no credential.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from orchestrator.errors import AoError, NotReady, TemporaryError
from orchestrator.ports.meter import Meter
from plugins._shared.github.answers import (
    Answer,
    Json,
    Said,
    delay_of,
    graphql_refusal,
    limited,
    message_of,
    moved_to,
    parsed,
    refusal,
    web_host,
)
from plugins._shared.github.budget import Budget, in_trouble
from plugins._shared.github.let_in import LetIn
from plugins._shared.github.turn import Turns
from plugins._shared.github.wire import WIRE

if TYPE_CHECKING:
    from github.Auth import Auth as Auth  # noqa: PLC0414 - handed on to identities
    from github.Requester import Requester

    from plugins._shared.http_client import HttpClient

PUBLIC = "https://api.github.com"
TIMEOUT = 20.0
"""Seconds that one call may take."""
THREADS = 8
"""Calls at a time for one identity; GitHub allows 100 at once for a user."""
PER_PAGE = 100
MOST_PAGES = 50
MOST_OF_A_LOG = 2_000_000
_MOVES = 5

log = logging.getLogger(__name__)

__all__ = [
    "PER_PAGE", "PUBLIC", "TIMEOUT", "Answer", "GitHub", "Identity", "Json", "Listener", "Said",
    "graphql_refusal", "message_of", "refusal", "web_host",
]  # fmt: skip


class Identity(Protocol):
    """Whom we act as. Equal identities of one address share a client."""

    @property
    def key(self) -> str:
        """Tells identities apart; not a secret."""

    def auth(self) -> Auth:
        """Made in a client's thread: it may go outside (an App's installation token)."""


Listener = Callable[[str, Answer], None]
"""Told of every answer: kind (`rest`, `graphql`) and what came."""


class GitHub:
    """One identity at one address."""

    def __init__(
        self,
        url: str,
        identity: Identity,
        *,
        listener: Listener | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.url = url.rstrip("/")
        self.identity = identity
        self.budget = Budget(web_host(url))
        self.now = now
        self._moved: set[str] = set()
        self.let_in = LetIn()
        self._listener = listener
        self._executor = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="github")
        self._requester: Requester | None = None
        self._opening = asyncio.Lock()
        self._turns = Turns(self.budget, now)
        self._elsewhere: HttpClient | None = None

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
        """One call. Raises what `refusal` says of another status than 2xx and 304.

        A repository that moved is followed, within the same server. A 302 (a job's log, elsewhere) is
        an answer: its address is in the header `location`.
        """
        headers = {"If-None-Match": etag} if etag else {}
        headers |= {"Accept": accept} if accept else {}
        answer = await self._followed(method, path, dict(query or {}), headers, body)
        if answer.status >= 300 and answer.status not in {302, 304}:
            raise refusal(answer, f"{method} {path}", self.host)
        return answer

    async def attempt(self, method: str, path: str, body: Json = None) -> Answer:
        """One call whose refusal the caller reads: only rate limits, a bad token and outages raise."""
        answer = await self._followed(method, path, {}, {}, body)
        status = answer.status
        if status in {401, 429} or status >= 500 or (status == 403 and limited(answer)):
            raise refusal(answer, f"{method} {path}", self.host)
        return answer

    async def probe(self, method: str, path: str, body: Json = None) -> Answer:
        """Like `rest`, for what can be done without: that it fails holds up no other call."""
        answer = await self._followed(method, path, {}, {}, body, optional=True)
        if answer.status >= 300:
            raise refusal(answer, f"{method} {path}", self.host)
        return answer

    async def _followed(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int],
        headers: Mapping[str, str],
        body: Json,
        *,
        optional: bool = False,
    ) -> Answer:
        requester = await self._open()
        at, what = path, f"{method} {path.partition('?')[0]}"
        for _ in range(_MOVES):
            await self._turns.take("rest", what, write=method != "GET")
            call = partial(requester.requestJson, method, at, dict(query), dict(headers), body)
            answer = await self._heard("rest", what, call, optional=optional)
            where = moved_to(answer, self.url)
            if not where:
                break
            self._note_move(path)
            at, query = where, {}
        return answer

    def _note_move(self, path: str) -> None:
        repository = "/".join(path.partition("?")[0].split("/")[:4])
        if repository not in self._moved and len(self._moved) < MOST_PAGES:
            self._moved.add(repository)
            log.warning("%s moved %s; put the new name into the configuration", self.host, repository)

    async def download(self, path: str) -> str:
        """The end of a long text that lies elsewhere (a job's log), fetched from there without our credential."""
        answer = await self.rest("GET", path)
        where = answer.headers.get("location", "")
        if answer.status != 302 or not where:
            return answer.data if isinstance(answer.data, str) else ""
        if self._elsewhere is None:
            self._elsewhere = await self._call("making a client", _elsewhere)
        return (await self._elsewhere.end_of(where, MOST_OF_A_LOG)).decode(errors="replace")

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
        what = f"GraphQL {name}"
        await self._turns.take("graphql", what, write=name.startswith("mutation"))
        answer = await self._heard(
            "graphql", what, lambda: requester.requestJson("POST", requester.graphql_url, None, None, body)
        )
        if answer.status >= 300:
            raise refusal(answer, what, self.host)
        if not isinstance(answer.data, dict):
            msg = f"{self.host} answered in a way that cannot be read ({what})."
            raise TemporaryError(msg)
        errors = answer.data.get("errors") or ()
        data = answer.data.get("data")
        if data is None:
            error = graphql_refusal(errors, name, self.host)
            if isinstance(error, TemporaryError):
                self.budget.refused(error.delay, self.now())
            raise error
        return Said(data, errors, answer.headers)

    def meters(self) -> Sequence[Meter]:
        """What is left of each limit, as last heard."""
        return self.budget.meters(self.now())

    async def token(self) -> str:
        """What we are let in with now, for git. Never in a log, an error, an argument list or a file."""
        requester = await self._open()
        found = await self._call("signing in", lambda: requester.auth.token if requester.auth else "")
        return str(found)

    async def outside(self, what: str, call: Callable[[], Any]) -> Any:  # noqa: ANN401 - as the call returns
        """Something else that blocks, in our threads and with our time limit."""
        return await self._call(what, call)

    async def close(self) -> None:
        """Let the threads go. Repeatable."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        WIRE.close(self.url)
        if self._elsewhere is not None:
            await self._elsewhere.close()

    async def _heard(
        self, kind: str, what: str, call: Callable[[], tuple[int, Any, str]], *, optional: bool = False
    ) -> Answer:
        """Make the call and tell the budget of it."""
        since = self.now()
        try:
            status, headers, text = await self._call(what, call)
            # A server in trouble answers with a page for people; its status says enough.
            page = status >= 500 and "json" not in headers.get("content-type", "")
            data = None if status == 304 or page else parsed(text, headers)
        except TemporaryError:
            if not optional:
                self.budget.failed(self.now(), kind, since=since)
            raise
        self._account(kind, answer := Answer(status, headers, data))
        if in_trouble(status) and not optional:
            self.budget.failed(self.now(), kind, since=since)
        if self._listener is not None:
            self._listener(kind, answer)
        return answer

    def _account(self, kind: str, answer: Answer) -> None:
        now, cost = self.now(), 1
        self.let_in.heard(answer, signed_in=self._requester is not None)
        if answer.status == 401:
            self._requester = None  # it may have been renewed outside: the next call signs in anew
        if kind == "graphql" and isinstance(answer.data, dict):
            rate = (answer.data.get("data") or {}).get("rateLimit") or {}
            cost = rate.get("cost", 1)
        self.budget.heard(kind, answer.status, answer.headers, now, cost=cost)
        if answer.status in {403, 429} and limited(answer):
            self.budget.refused(delay_of(answer, self.budget.server(now)), now)

    async def _open(self) -> Requester:
        async with self._opening:
            if self._requester is None:
                self._requester = await self._call("signing in", self._make)
            return self._requester

    def _make(self) -> Requester:
        return _requester(self.url, self.let_in.signs_in(self.identity.auth))

    def _translated(self, call: Callable[[], Any]) -> Any:  # noqa: ANN401 - as the call returns
        """In the thread: an App's token is renewed there, and its refusals are PyGithub's own."""
        from github import GithubException

        try:
            return call()
        except GithubException as error:
            answer = Answer(error.status, error.headers or {}, error.data)
            self.let_in.heard(answer)
            raise refusal(answer, "signing in", self.host) from None

    async def _call(self, what: str, call: Callable[[], Any]) -> Any:  # noqa: ANN401 - as the call returns
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(TIMEOUT + 5.0):
                return await loop.run_in_executor(self._executor, self._translated, call)
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


def _elsewhere() -> HttpClient:
    """In a thread: its library reads files when it is loaded."""
    from plugins._shared.http_client import HttpClient

    return HttpClient(TIMEOUT)


def token_auth(token: str) -> Auth:
    """By a token of any kind, as it is."""
    from github.Auth import Token

    return Token(token)


def app_auth(url: str, app: str, key: str, where: int | str) -> Auth:
    """As a GitHub App's installation: its id, or `owner/name` of a repository by which it is found.

    Its token lasts an hour and is renewed by whichever call comes last before its end. Goes outside, so
    it is called in a thread. Raises `NotReady`.
    """
    from github.Auth import AppAuth

    auth = AppAuth(app, key)
    try:
        auth.create_jwt()
    except Exception as error:  # noqa: BLE001 - of a library below PyGithub, and with no key in its words
        msg = f"the private key of GitHub App {app} cannot be used ({type(error).__name__})."
        raise NotReady(msg, next_step="Take the .pem file that GitHub made for it.") from None
    if isinstance(where, str):
        where = int(_installation(url, auth, app, where)["id"])
    return auth.get_installation_auth(where)


def app_installation(url: str, app: str, key: str, where: int | str) -> Mapping[str, Json]:
    """An App's installation with its permissions. Goes outside, like `app_auth`, and raises like it."""
    from github.Auth import AppAuth

    return _installation(url, AppAuth(app, key), app, where)


def _installation(url: str, auth: Auth, app: str, where: int | str) -> dict[str, Json]:
    requester = _requester(url, auth)
    path = f"/app/installations/{where}" if isinstance(where, int) else f"/repos/{where}/installation"
    try:
        status, headers, text = requester.requestJson("GET", path)
    finally:
        requester.close()
    if status == 200:
        return dict(parsed(text, headers))
    if status == 404:
        msg = f"GitHub App {app} is not installed on {where}."
        raise NotReady(msg, next_step="Install it there (its page on GitHub: Install App).")
    if status == 401:
        msg = f"{web_host(url)} does not know GitHub App {app} by this private key."
        raise NotReady(msg, next_step="`app.id` and its key belong together; the clock must be right too.")
    raise refusal(Answer(status, headers, parsed(text, headers)), "finding the installation", web_host(url))


def _requester(url: str, auth: Auth) -> Requester:
    from github import Github
    from github.Requester import HTTPRequestsConnectionClass as Plain
    from github.Requester import HTTPSRequestsConnectionClass as Secure
    from github.Requester import Requester

    # At INFO it tells of redirections, at DEBUG of whole requests with their bodies.
    logging.getLogger("github").setLevel(logging.WARNING)
    Requester.injectConnectionClasses(WIRE.maker(Plain), WIRE.maker(Secure))  # type: ignore[arg-type]
    hub = Github(
        auth=auth,
        base_url=url,
        timeout=int(TIMEOUT),
        user_agent="agent-orchestrator",
        per_page=PER_PAGE,
        retry=None,
        seconds_between_requests=None,
        seconds_between_writes=None,
        lazy=True,
    )
    return hub.requester
