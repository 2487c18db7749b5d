"""The storage's own threads: work of one key runs in order, of different keys side by side.

Never the loop's default executor: it has six threads on two cores, and ten hanging calls of another
library in it were seen to hold up every write.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar
from zlib import crc32

P = ParamSpec("P")
T = TypeVar("T")


class Lanes:
    """A fixed number of threads. Each is started when it is first needed."""

    def __init__(self, count: int, name: str) -> None:
        self._lanes = tuple(ThreadPoolExecutor(1, thread_name_prefix=f"{name}-{n}") for n in range(count))

    async def run(self, key: str, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` in the lane of `key`, after what was asked for that key before.

        Cancelling the caller does not stop work that has begun.
        """
        lane = self._lanes[crc32(key.encode()) % len(self._lanes)]
        return await asyncio.wrap_future(lane.submit(work, *args, **kwargs))

    async def close(self) -> None:
        """Return when what was asked is done; the threads end by themselves."""
        lasts = [asyncio.wrap_future(lane.submit(_nothing)) for lane in self._lanes]
        await asyncio.gather(*lasts)
        for lane in self._lanes:
            lane.shutdown(wait=False)


def _nothing() -> None:
    """The last work of a lane."""
