"""The API's paths under `/api/v1`, the same on both listeners: health, sessions, actions, requests, events. JSON in, JSON out."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from bot.actions.action import Action
from bot.actions.runner import Actions
from bot.chat.desk import Desk, error_data
from bot.chat.message import Json
from bot.chat.request import Request, Surface
from bot.chat.view import event_data
from bot.frontends.api.asked import Asker, read
from bot.frontends.api.door import Door
from bot.frontends.api.guard import MOST_BODY, TooLarge
from orchestrator.domain.event import LoggedEvent
from orchestrator.domain.person import Actor
from orchestrator.domain.rights import Allowed, Role
from orchestrator.errors import AoError, BadInput, NotFound
from orchestrator.storage.requests import Outcome

MOST_WAIT = 30.0
MOST_EVENTS = 1000
ANSWER_WITHIN = 20.0
"""Seconds after which a request that still runs is answered with 202 and its id."""
_STATUS = {
    "bad-input": 400,
    "unauthenticated": 401,
    "too-slow": 408,
    "too-large": 413,
    "not-allowed": 403,
    "not-found": 404,
    "conflict": 409,
    "duplicate": 409,
    "permanent": 502,
    "not-ready": 503,
    "temporary": 503,
}


class Log(Protocol):
    """What is needed of the event log."""

    @property
    def last_seq(self) -> int:
        """The newest event's number."""

    async def read(self, after: int, limit: int) -> list[LoggedEvent]:
        """Events after a number, the oldest first. Fewer than `limit` mean that there are no more."""

    def follow(self, after: int) -> AsyncIterator[LoggedEvent]:
        """Those, and then each new one."""


@dataclass(slots=True, kw_only=True)
class Api:
    """The handlers, over one fleet."""

    desk: Desk
    actions: Actions
    log: Log
    version: str
    started_at: float
    door: Door
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    ending: Callable[[], Sequence[str]] = tuple
    """Sessions whose terminal ends with this process."""

    def app(self, more: Sequence[BaseRoute] = ()) -> Starlette:
        """The ASGI application; `more` is what else is served beside the API."""
        return Starlette(routes=[*self.routes(), *more], exception_handlers={AoError: refused})

    def routes(self) -> list[BaseRoute]:
        """The API's paths."""
        return [
            Route("/api/v1/health", self.health),
            Route("/api/v1/sessions", self.sessions),
            Route("/api/v1/sessions/{session}", self.session),
            Route("/api/v1/actions", self.act, methods=["POST"]),
            Route("/api/v1/requests/{request}", self.request),
            Route("/api/v1/events", self.events),
        ]

    async def health(self, http: HttpRequest) -> Response:
        """Version, process, and the number of the newest event. Over the socket sessions may ask it too."""
        if http.client is None or http.client.host != "unix":
            await self.door.asker(http)
        return JSONResponse(
            {
                "ok": True,
                "version": self.version,
                "pid": os.getpid(),
                "started_at": self.started_at,
                "seq": self.log.last_seq,
                "ends_with_ao": list(self.ending()),
            }
        )

    async def sessions(self, http: HttpRequest) -> Response:
        """`?project=` of one project, `?ended=1` ended ones too."""
        query = http.query_params
        given: dict[str, Json] = {"all": query.get("ended") == "1"}
        if query.get("project"):
            given["project"] = query["project"]
        return await self._read(http, given)

    async def session(self, http: HttpRequest) -> Response:
        """One session, by id, issue or pull request."""
        return await self._read(http, {"session": http.path_params["session"]})

    async def _read(self, http: HttpRequest, arguments: dict[str, Json]) -> Response:
        by = await self.door.asker(http)
        action, request = self._asked({"verb": "status", "arguments": arguments}, by, "")
        _, task = await self.desk.ask(action, request)
        outcome = await task if task else None
        if outcome is None or not outcome.ok:
            return _outcome_response("", outcome)
        return JSONResponse(outcome.data["message"]["data"])

    async def act(self, http: HttpRequest) -> Response:
        """`{verb, arguments, head?, preview?}`; `Idempotency-Key` makes asking twice the same as once.

        `?wait=` seconds for its end, else 202 with the request's id.
        """
        by = await self.door.asker(http)
        body = await _body(http)
        action, request = self._asked(body, by, _key(http))
        if body.get("preview") is True:
            return JSONResponse({"state": "preview", "message": await self.desk.preview(request)})
        kept, task = await self.desk.ask(action, request)
        if task is not None and not kept:
            return _outcome_response(kept, await task)
        await self._wait(task, _seconds(http, ANSWER_WITHIN))
        return _outcome_response(kept, self.desk.outcome(kept))

    def _asked(self, body: Mapping[str, object], by: Asker, key: str) -> tuple[Action, Request]:
        if by.local and body.get("surface") == Surface.SHELL:
            by = replace(by, surface=Surface.SHELL)
        return read(self.actions, body, by, key=key, at=self.desk.now)

    async def request(self, http: HttpRequest) -> Response:
        """How a request stands; `?wait=` seconds for its end."""
        by = await self.door.asker(http)
        kept = http.path_params["request"]
        if not self._may_read(by, self.desk.record(kept).asked.by):
            msg = f"there is no request {kept!r}."  # somebody else's: its answer is not for this one
            raise NotFound(msg)
        await self._wait(self.desk.task(kept), _seconds(http))
        return _outcome_response(kept, self.desk.outcome(kept))

    def _may_read(self, by: Asker, asked_by: Actor) -> bool:
        """Whether an answer is for who asks now: whoever asked for it, and admins of all projects."""
        access = self.actions.access
        admin = access.decide(by.who, Role.ADMIN, None)
        return isinstance(admin, Allowed) or access.people.same(by.who, asked_by)

    async def events(self, http: HttpRequest) -> Response:
        """One JSON object a line: `?after=`, `?limit=`, `?wait=` for some, `?follow=1` without an end.

        Those of projects that who asks may see; numbers between them are of others.
        """
        by = await self.door.asker(http)
        self._asked({"verb": "events"}, by, "")
        after = _number(http, "after", 0)
        if http.query_params.get("follow") == "1":
            return StreamingResponse(self._follow(http, by, after), media_type="application/x-ndjson")
        limit = min(_number(http, "limit", 100), MOST_EVENTS)
        found = await self._page(by, after, limit)
        wait = _seconds(http)
        if not found and wait:
            async for logged in _until(self._seen(by, after), self.stopping, wait):
                found = await self._page(by, logged.seq - 1, limit)
                break
        return Response(b"".join(map(_line, found)), media_type="application/x-ndjson")

    async def _page(self, by: Asker, after: int, limit: int) -> list[LoggedEvent]:
        """The next events that who asks may see, however many of others lie between."""
        found: list[LoggedEvent] = []
        while len(found) < limit:
            page = await self.log.read(after, MOST_EVENTS)
            found += [logged for logged in page if self._shows(by, logged)]
            if len(page) < MOST_EVENTS:
                break
            after = page[-1].seq
        return found[:limit]

    async def _seen(self, by: Asker, after: int) -> AsyncIterator[LoggedEvent]:
        async for logged in self.log.follow(after):
            if self._shows(by, logged):
                yield logged

    def _shows(self, by: Asker, logged: LoggedEvent) -> bool:
        """What is of no project is for whoever may see the whole fleet."""
        return self.actions.access.sees(by.who, logged.event.project or None)

    async def _follow(self, http: HttpRequest, by: Asker, after: int) -> AsyncIterator[bytes]:
        async for logged in _until(self._seen(by, after), self.stopping, None):
            if not await self.door.holds(http):
                return  # whoever asked counts no more: a stream is no way around that
            yield _line(logged)

    async def _wait(self, task: asyncio.Task[Outcome] | None, seconds: float) -> None:
        """Wait for a task, but not for longer than the server lives. Whoever asked may leave; it goes on."""
        if task is None:
            return
        stop = asyncio.create_task(self.stopping.wait())
        try:
            await asyncio.wait({task, stop}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()


async def _until(
    events: AsyncIterator[LoggedEvent], stop: asyncio.Event, seconds: float | None
) -> AsyncIterator[LoggedEvent]:
    """The events, until `stop` is set or a whole `seconds` went by without one."""
    stopped = asyncio.create_task(stop.wait())
    following: asyncio.Task[LoggedEvent] | None = None
    try:
        while True:
            following = asyncio.ensure_future(_next(events))
            done, _ = await asyncio.wait(
                {following, stopped}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if following not in done:
                return
            try:
                yield following.result()
            except StopAsyncIteration:
                return
    finally:
        stopped.cancel()
        if following is not None and not following.done():
            following.cancel()
            await asyncio.wait({following})


async def _next(events: AsyncIterator[LoggedEvent]) -> LoggedEvent:
    return await anext(events)


def _line(logged: LoggedEvent) -> bytes:
    return json.dumps(event_data(logged), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


async def _body(http: HttpRequest) -> Mapping[str, object]:
    """The request's JSON object. Raises `BadInput` when it is too long or is none."""
    content = b""
    async for part in http.stream():
        content += part
        if len(content) > MOST_BODY:
            msg = f"a request has at most {MOST_BODY} bytes."
            raise TooLarge(msg)
    try:
        body = json.loads(content)
    except (ValueError, RecursionError) as error:
        msg = "a request is a JSON object."
        raise BadInput(msg) from error
    if not isinstance(body, dict):
        msg = "a request is a JSON object."
        raise BadInput(msg)
    return body


def _key(http: HttpRequest) -> str:
    key = http.headers.get("Idempotency-Key", "")
    if len(key) > 200 or not key.isprintable():
        msg = "an Idempotency-Key has at most 200 printable characters."
        raise BadInput(msg)
    return key


def _number(http: HttpRequest, name: str, default: int) -> int:
    text = http.query_params.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        msg = f"{name} is a number."
        raise BadInput(msg)
    return int(text)


def _seconds(http: HttpRequest, default: float = 0.0) -> float:
    try:
        wait = float(http.query_params.get("wait") or default)
    except ValueError as error:
        msg = "wait is a number of seconds."
        raise BadInput(msg) from error
    return min(max(wait, 0.0), MOST_WAIT) if wait == wait else 0.0  # noqa: PLR0124 - not a number is none


def _outcome_response(kept: str, outcome: Outcome | None) -> Response:
    if outcome is None:
        return JSONResponse({"request": kept, "state": "running"}, status_code=202)
    if outcome.ok:
        return JSONResponse({"request": kept, "state": "done", **outcome.data})
    error = outcome.data.get("error") or {}
    return JSONResponse({**error, "request": kept}, status_code=_STATUS.get(error.get("code", ""), 500))


async def refused(_: HttpRequest, error: Exception) -> Response:
    """An error as it is answered; also of what is served beside the API."""
    found = error if isinstance(error, AoError) else AoError(str(error))
    status = _STATUS.get(found.code, 500)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return JSONResponse(error_data(found), status_code=status, headers=headers)
