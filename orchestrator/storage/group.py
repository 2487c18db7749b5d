"""Group commit: what is asked for while a write runs is written together, and synced once, by the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from orchestrator.storage.lanes import Lanes

T = TypeVar("T")
R = TypeVar("R")


class GroupCommit(Generic[T, R]):
    """Hands items in batches, in order, one batch at a time, to a function that blocks."""

    def __init__(self, lanes: Lanes, name: str, commit: Callable[[Sequence[T]], Sequence[R]]) -> None:
        self._lanes = lanes
        self._name = name
        self._commit = commit
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def submit(self, item: T) -> R:
        """Return when `item` is durable, with what `commit` gave for it. Raises what `commit` raised.

        An item whose caller was cancelled is written all the same.
        """
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._drain(), name=f"group commit of {self._name}")
        return await future

    async def settle(self) -> None:
        """Return when everything that was asked so far is written or has failed."""
        while self._writer is not None and not self._writer.done():
            await asyncio.wait([self._writer])

    async def _drain(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            items = [item for item, _ in batch]
            written = asyncio.ensure_future(self._lanes.run(self._name, self._commit, items))
            await asyncio.wait([written])
            error = written.exception()
            for number, (_, future) in enumerate(batch):
                if future.done():
                    continue  # its caller does not wait any more
                if error is None:
                    future.set_result(written.result()[number])
                else:
                    future.set_exception(error)
