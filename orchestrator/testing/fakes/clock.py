"""A clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio
import heapq
import itertools

from typing_extensions import override

from orchestrator.clock import Clock


class FakeClock(Clock):
    """`advance` moves both clocks, `jump` only the wall clock (suspend, or somebody set it)."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self._now = now
        self._mono = 1000.0
        self._waiting: list[tuple[float, int, asyncio.Event]] = []
        self._order = itertools.count()

    @override
    def now(self) -> float:
        """The wall clock."""
        return self._now

    @override
    def monotonic(self) -> float:
        """The machine's own clock."""
        return self._mono

    @override
    async def sleep(self, seconds: float) -> None:
        """Return once the test has advanced the clock that far."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        event = asyncio.Event()
        heapq.heappush(self._waiting, (self._mono + seconds, next(self._order), event))
        await event.wait()

    def advance(self, seconds: float) -> None:
        """Let time pass; wakes whoever slept until then."""
        self._now += seconds
        self._mono += seconds
        while self._waiting and self._waiting[0][0] <= self._mono:
            heapq.heappop(self._waiting)[2].set()

    def jump(self, seconds: float) -> None:
        """The wall clock jumps, forward or back."""
        self._now += seconds
