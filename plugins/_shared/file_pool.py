"""File calls off the event loop, in threads of their own: a slow disk stops nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="ao-files")


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function that blocks on files and return what it returns."""
    return await asyncio.get_running_loop().run_in_executor(_threads, partial(function, *args, **kwargs))
