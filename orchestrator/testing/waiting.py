"""Waiting in tests: for a condition, bounded, never for a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(
    look: Callable[[], Awaitable[T]], wanted: Callable[[T], object], limit: float = 10.0
) -> T:
    """Look until what is seen is as wanted, and return it. Fails with what was seen last."""
    loop = asyncio.get_running_loop()
    end = loop.time() + limit
    while True:
        seen = await look()
        if wanted(seen):
            return seen
        if loop.time() > end:
            msg = f"not within {limit:g} s; last seen: {seen!r}"
            raise AssertionError(msg)
        await asyncio.sleep(0.02)
