"""Requests over the API: kept before they run, run once, and answered however often they are asked."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from bot.actions import grammar
from bot.actions.action import Access, Action, Confirmation
from bot.actions.runner import Actions
from bot.chat.message import Json, as_json
from bot.chat.request import Request, Surface, Value
from orchestrator.domain.person import Actor
from orchestrator.errors import AoError, BadInput, NotFound
from orchestrator.storage.requests import Asked, Outcome, RequestRecord

log = logging.getLogger(__name__)
_RESTARTED = "ao was restarted before this was answered."
_LOOK = "What was asked may have been done: `ao status` and `ao events` show it."


class RequestLog(Protocol):
    """What is needed of the kept requests."""

    async def keep(self, asked: Asked) -> tuple[RequestRecord, bool]:
        """Keep one; False: it was asked before with the same key."""

    async def done(self, request: str, outcome: Outcome) -> RequestRecord:
        """Keep how it ended."""

    def find(self, request: str) -> RequestRecord | None:
        """One by its id."""

    def unfinished(self) -> tuple[RequestRecord, ...]:
        """Those without an outcome."""


class Desk:
    """Takes requests in, runs them, and remembers their answers."""

    def __init__(self, actions: Actions, kept: RequestLog, now: Callable[[], float] = time.time) -> None:
        self._actions = actions
        self._kept = kept
        self._now = now
        self._running: dict[str, asyncio.Task[Outcome]] = {}

    async def open(self) -> None:
        """Answer what a crash cut off: what was asked is a fact that the ring carries on by itself."""
        for record in self._kept.unfinished():
            if record.asked.surface in {Surface.API, Surface.SHELL}:
                error = AoError(_RESTARTED, next_step=_LOOK)
                await self._kept.done(record.id, self._failure(error))

    async def close(self) -> None:
        """Give what runs a moment to end; the rest is answered by the next start."""
        tasks = list(self._running.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=2.0)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def read(self, body: Mapping[str, object], who: Actor, key: str) -> tuple[Action, Request]:
        """A request as it came, checked. Raises `AoError`: then nothing is kept and nothing was done."""
        verb, given = body.get("verb"), body.get("arguments", {})
        if not isinstance(verb, str) or not isinstance(given, dict):
            msg = "a request is {verb, arguments}."
            raise BadInput(msg)
        action = self._actions.find(verb)
        named = dict(given) | ({"head": body["head"]} if body.get("head") else {})
        request = Request(
            id="",
            who=who,
            surface=Surface.SHELL if body.get("surface") == Surface.SHELL else Surface.API,
            verb=action.verb,
            at=self._now(),
            arguments=grammar.check(action, named),
            key=key,
        )
        self._actions.allowed(request)
        if action.confirmation is Confirmation.HEAD and not body.get("preview") and not request.text("head"):
            msg = f"{action.verb} needs `head`: the commit that you saw."
            raise BadInput(msg)
        return action, request

    async def preview(self, request: Request) -> dict[str, Json]:
        """The facts to show before a yes is asked."""
        return as_json(await self._actions.preview(request))

    async def ask(self, action: Action, request: Request) -> tuple[str, asyncio.Task[Outcome] | None]:
        """Start it, or find it; returns its id and the task while it runs. Reading is not kept."""
        if action.access is not Access.CHANGES:
            return "", asyncio.create_task(self._run(request), name=f"read {request.verb}")
        asked = Asked(
            verb=request.verb,
            by=request.who,
            at=request.at,
            arguments={name: _plain(value) for name, value in request.arguments.items()},
            key=request.key,
            surface=request.surface.value,
        )
        record, fresh = await self._kept.keep(asked)
        if fresh:
            task = asyncio.create_task(self._run_kept(record.id, request), name=f"request {record.id}")
            self._running[record.id] = task
            task.add_done_callback(lambda _: self._running.pop(record.id, None))
        return record.id, self._running.get(record.id)

    def task(self, request: str) -> asyncio.Task[Outcome] | None:
        """The task of a request, while it runs."""
        return self._running.get(request)

    def outcome(self, request: str) -> Outcome | None:
        """How a request ended; None while it runs. Raises `NotFound`."""
        record = self._kept.find(request)
        if record is None:
            msg = f"there is no request {request!r}."
            raise NotFound(msg)
        return record.outcome

    async def _run_kept(self, kept: str, request: Request) -> Outcome:
        outcome = await self._run(request)
        await self._kept.done(kept, outcome)
        return outcome

    async def _run(self, request: Request) -> Outcome:
        try:
            message = await self._actions.run(request)
        except AoError as error:
            return self._failure(error)
        except Exception as error:
            log.exception("a verb failed in a way that was not foreseen", extra={"action": request.verb})
            what = f"{request.verb} failed in a way that was not foreseen ({type(error).__name__})."
            return self._failure(AoError(what, next_step="The log of `ao start` says more."))
        data: dict[str, Any] = {"message": as_json(message)}
        return Outcome(ok=True, at=self._now(), text=message.title, data=data)

    def _failure(self, error: AoError) -> Outcome:
        return Outcome(ok=False, at=self._now(), text=str(error), data={"error": error_data(error)})


def error_data(error: AoError) -> dict[str, Json]:
    """An error as the API answers it."""
    return {"code": error.code, "what": error.what, "next_step": error.next_step, "session": error.session}


def _plain(value: Value) -> Json:
    return list(value) if isinstance(value, tuple) else value
