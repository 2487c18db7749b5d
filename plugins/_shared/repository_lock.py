"""One at a time in a repository, and one call shared by all who wait for it.

git's own locks make parallel callers fail instead of wait: 23 of 60 parallel `worktree add` did.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Hashable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary, WeakValueDictionary

from plugins._shared.threads import files_of

T = TypeVar("T")

_Locks = WeakValueDictionary[str, asyncio.Lock]
_real_paths: dict[Path, str] = {}
_MOST = 4096
_locks: WeakKeyDictionary[asyncio.AbstractEventLoop, _Locks] = WeakKeyDictionary()


@asynccontextmanager
async def locked(repository: Path) -> AsyncIterator[None]:
    """Hold the lock of a repository, the same for every way of writing its path."""
    key = _real_paths.get(repository)
    if key is None:
        # Once for each spelling: whoever waits for a lock needs no thread.
        key = await files_of(repository.parent).run(os.path.realpath, repository)
        if len(_real_paths) >= _MOST:
            _real_paths.clear()
        _real_paths[repository] = key
    of_loop = _locks.setdefault(asyncio.get_running_loop(), WeakValueDictionary())
    lock = of_loop.get(key)
    if lock is None:
        lock = of_loop[key] = asyncio.Lock()
    async with lock:
        yield


class SharedCalls(Generic[T]):
    """Calls by key: those who come while one runs share the next one, so none sees an old answer."""

    def __init__(self) -> None:
        self._running: dict[Hashable, asyncio.Task[T]] = {}
        self._next: dict[Hashable, asyncio.Task[T]] = {}

    async def call(self, key: Hashable, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The result of a call that began after this one was asked for.

        A caller that is cancelled does not end the call for the others.
        """
        task = self._next.get(key)
        if task is None:
            before = self._running.get(key)
            task = asyncio.create_task(self._after(before, key, make), name=f"shared {key}")
            if before is None:
                self._running[key] = task
            else:
                self._next[key] = task
        return await asyncio.shield(task)

    async def _after(
        self, before: Awaitable[T] | None, key: Hashable, make: Callable[[], Coroutine[Any, Any, T]]
    ) -> T:
        if before is not None:
            await asyncio.wait([asyncio.ensure_future(before)])
            self._running[key] = self._next.pop(key)
        try:
            return await make()
        finally:
            # Whoever waits behind us has put itself into `_next` and moves up when it wakes.
            if self._running.get(key) is asyncio.current_task():
                del self._running[key]
