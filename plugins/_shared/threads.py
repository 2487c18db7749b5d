"""Calls that block, off the event loop: each owner has threads of its own, and nothing is waited for without end.

A folder on a network may hang, and a thread in it cannot be ended. So whoever hangs holds up its own
owner alone, and an owner all of whose threads hang is refused at once until one comes back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from orchestrator.errors import TemporaryError

P = ParamSpec("P")
T = TypeVar("T")

FILE_LIMIT = 10.0
"""Seconds that one call on files may take: shorter than a look at all sessions may."""
TREE_LIMIT = 600.0
"""Seconds for a call that goes through a whole folder, or a file of any size."""
_OWNERS = 64


class Threads:
    """The threads of one owner; it is named in the words of the errors."""

    def __init__(self, owner: str, *, limit: float = FILE_LIMIT, count: int = 4) -> None:
        self._owner = owner
        self._limit = limit
        self._count = count
        self._executor = ThreadPoolExecutor(max_workers=count, thread_name_prefix=f"ao {owner}")
        self._lost: list[Future[Any]] = []
        """Calls that nobody waits for any more, and that still hold a thread."""

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function that blocks and return what it returns. Raises `TemporaryError` after the limit."""
        self._lost = [work for work in self._lost if not work.done()]
        if len(self._lost) >= self._count:
            msg = f"{self._owner} still does not answer: {len(self._lost)} calls hang."
            raise TemporaryError(msg)
        work = self._executor.submit(call, *args, **kwargs)
        limit = asyncio.timeout(self._limit)
        try:
            async with limit:
                return await asyncio.wrap_future(work)
        except TimeoutError as error:
            if not limit.expired():
                raise
            if not work.cancel():
                self._lost.append(work)
            msg = f"{self._owner} does not answer within {self._limit:g} s."
            raise TemporaryError(msg) from error

    def close(self) -> None:
        """Let the threads go when what they do is done. Repeatable."""
        self._executor.shutdown(wait=False, cancel_futures=True)


@lru_cache(maxsize=_OWNERS)
def files_of(folder: Path) -> Threads:
    """The threads for files that belong to `folder`: a project's, or a repository's."""
    return Threads(str(folder))


@lru_cache(maxsize=_OWNERS)
def writes_of(folder: Path) -> Threads:
    """One thread for what is replaced there: a write that comes back late never undoes a newer one."""
    return Threads(str(folder), count=1)


@lru_cache(maxsize=_OWNERS)
def trees_of(folder: Path) -> Threads:
    """The threads for what takes long there, so that it is in no quick call's way."""
    return Threads(str(folder), limit=TREE_LIMIT, count=2)
