"""Sign-ins that people have begun and not finished: held in memory, each waited for by one task."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from orchestrator.ports.scm import SignIn

Key = tuple[str, str]
"""A person and a host."""


@dataclass(slots=True)
class _Pending:
    begun: SignIn
    task: asyncio.Task[None]


class SignIns:
    """At most one for each person and host."""

    def __init__(self) -> None:
        self._pending: dict[Key, _Pending] = {}

    def pending(self, key: Key, now: float) -> SignIn | None:
        """The one that is waited for; None where there is none that could still be finished."""
        found = self._pending.get(key)
        return found.begun if found is not None and now < found.begun.expires_at else None

    def wait(self, key: Key, begun: SignIn, waiting: Coroutine[Any, Any, None]) -> None:
        """Wait for it in the background, in place of one that was begun before."""
        self.drop(key)
        task = asyncio.create_task(waiting, name=f"sign-in at {key[1]}")
        self._pending[key] = _Pending(begun, task)
        task.add_done_callback(lambda done: self._ended(key, done))

    def drop(self, key: Key) -> bool:
        """Wait no longer; whether there was one."""
        found = self._pending.pop(key, None)
        if found is not None:
            found.task.cancel()
        return found is not None

    async def close(self) -> None:
        """End all. Repeatable."""
        tasks = [pending.task for pending in self._pending.values()]
        for key in list(self._pending):
            self.drop(key)
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, key: Key, task: asyncio.Task[None]) -> None:
        found = self._pending.get(key)
        if found is not None and found.task is task:
            del self._pending[key]
