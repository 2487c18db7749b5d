"""The desk of every surface: requests are kept before they run, run once, and answered as often as asked."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol

from bot.chat.message import Json, Message, as_json
from bot.chat.request import Request, Surface, Value
from orchestrator.errors import AoError, NotFound
from orchestrator.storage.requests import Asked, Outcome, RequestRecord

log = logging.getLogger(__name__)
RESTARTED = AoError(
    "ao was restarted before this was answered.",
    next_step="What was asked may have been done: `ao status` and `ao events` show it.",
)
"""How a request is answered that a crash cut off. What was begun is carried on by the ring itself."""
_ANSWERED_HERE = frozenset({Surface.API, Surface.SHELL})
"""Surfaces whose answer is fetched, and has no place that it must be brought to."""


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


class Verb(Protocol):
    """What is needed of a request's action."""

    @property
    def changes(self) -> bool:
        """Whether it changes anything: then it is kept."""


class Verbs(Protocol):
    """What runs requests. Each method raises `AoError`."""

    async def run(self, request: Request) -> Message:
        """Do it."""

    async def preview(self, request: Request) -> Message:
        """The facts to show before a yes is asked."""


class Desk:
    """Takes requests in, runs them, and remembers their answers."""

    def __init__(self, verbs: Verbs, kept: RequestLog, now: Callable[[], float] = time.time) -> None:
        self._verbs = verbs
        self._kept = kept
        self._now = now
        self._running: dict[str, asyncio.Task[Outcome]] = {}
        self._cut_off: list[str] = []
        self.ended: Counter[str] = Counter()
        """How many kept requests ended since the start, `done` and `failed`."""

    @property
    def now(self) -> float:
        """The time, in epoch seconds, as requests are stamped with it."""
        return self._now()

    async def open(self) -> None:
        """Answer what a crash cut off; what has a place to be answered at is left to its surface.

        Before any front end takes requests. Raises `TemporaryError`.
        """
        for record in self._kept.unfinished():
            if record.asked.surface in _ANSWERED_HERE:
                await self._kept.done(record.id, self._failure(RESTARTED))
            else:
                self._cut_off.append(record.id)

    def unanswered(self, surface: Surface) -> tuple[RequestRecord, ...]:
        """What a crash cut off on `surface`, the oldest first.

        Its front end says `RESTARTED` at each one's `asked.place`, then calls `give_up`.
        """
        found = (self._kept.find(request) for request in self._cut_off)
        return tuple(r for r in found if r is not None and r.outcome is None and r.asked.surface == surface)

    async def give_up(self, request: str) -> None:
        """Keep that a request which a crash cut off was answered with `RESTARTED`.

        Raises `NotFound`, `TemporaryError`.
        """
        await self._kept.done(request, self._failure(RESTARTED))

    async def close(self) -> None:
        """Give what runs a moment to end; the rest is answered by the next start."""
        tasks = list(self._running.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=2.0)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def preview(self, request: Request) -> dict[str, Json]:
        """The facts to show before a yes is asked."""
        return as_json(await self._verbs.preview(request))

    async def ask(self, action: Verb, request: Request) -> tuple[str, asyncio.Task[Outcome] | None]:
        """Start it, or find it; returns its id and the task while it runs. Reading is not kept.

        Its arguments have passed the grammar. Once this returns it is on the disk and may be acknowledged.
        Raises `Conflict` for a key that was used for something else, `TemporaryError`.
        """
        if not action.changes:
            return "", asyncio.create_task(self._run(request), name=f"read {request.verb}")
        asked = Asked(
            verb=request.verb,
            by=request.who,
            at=request.at,
            arguments={name: _plain(value) for name, value in request.arguments.items()},
            key=request.key,
            surface=request.surface.value,
            place=request.place,
        )
        record, fresh = await self._kept.keep(asked)
        if fresh:
            task = asyncio.create_task(self._run_kept(record.id, request), name=f"request {record.id}")
            self._running[record.id] = task
            task.add_done_callback(lambda _: self._running.pop(record.id, None))
        return record.id, self._running.get(record.id)

    @property
    def running(self) -> int:
        """How many kept requests run."""
        return len(self._running)

    def task(self, request: str) -> asyncio.Task[Outcome] | None:
        """The task of a request, while it runs."""
        return self._running.get(request)

    def record(self, request: str) -> RequestRecord:
        """A request as it was kept. Raises `NotFound`."""
        record = self._kept.find(request)
        if record is None:
            msg = f"there is no request {request!r}."
            raise NotFound(msg)
        return record

    def outcome(self, request: str) -> Outcome | None:
        """How a request ended; None while it runs. Raises `NotFound`."""
        return self.record(request).outcome

    async def _run_kept(self, kept: str, request: Request) -> Outcome:
        outcome = await self._run(request)
        await self._kept.done(kept, outcome)
        self.ended["done" if outcome.ok else "failed"] += 1
        return outcome

    async def _run(self, request: Request) -> Outcome:
        try:
            message = await self._verbs.run(request)
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
    """An error as it is kept, and as the API answers it."""
    return {"code": error.code, "what": error.what, "next_step": error.next_step, "session": error.session}


def _plain(value: Value) -> Json:
    return list(value) if isinstance(value, tuple) else value
