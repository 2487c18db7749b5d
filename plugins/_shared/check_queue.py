"""Checks that wait or run in the background: a few at a time, each at most once at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any

from orchestrator.errors import AoError

RETRY_AFTER = 30.0
"""Seconds before a check that could not be run at all is tried again."""


class CheckQueue:
    """Jobs by key. A job that fails with an `AoError` is put off, and its reason can be asked for."""

    def __init__(self, limit: int, now: Callable[[], float]) -> None:
        self._free = asyncio.Semaphore(limit)
        self._now = now
        self._tasks: dict[Hashable, asyncio.Task[None]] = {}
        self._put_off: dict[Hashable, tuple[float, str]] = {}

    def ensure(self, key: Hashable, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Let the job run unless it does already, or failed a moment ago."""
        again_at, _ = self._put_off.get(key, (0.0, ""))
        if key in self._tasks or self._now() < again_at:
            return
        task = asyncio.create_task(self._run(key, job), name=f"check {key}")
        self._tasks[key] = task
        task.add_done_callback(lambda _: self._tasks.pop(key, None))

    def reason(self, key: Hashable) -> str:
        """Why a job could not be run, in words; empty when it could or was not tried."""
        return self._put_off.get(key, (0.0, ""))[1]

    def cancel(self, unwanted: Callable[[Hashable], bool]) -> None:
        """End the jobs whose key is unwanted."""
        for key in [key for key in self._tasks if unwanted(key)]:
            self._tasks[key].cancel()
        for key in [key for key in self._put_off if unwanted(key)]:
            del self._put_off[key]

    async def stop(self) -> None:
        """End all jobs and wait until their processes are gone."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def settled(self) -> None:
        """Wait until no job is left."""
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    async def _run(self, key: Hashable, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async with self._free:
            try:
                await job()
            except AoError as error:
                self._put_off[key] = (self._now() + RETRY_AFTER, error.what)
            else:
                self._put_off.pop(key, None)
