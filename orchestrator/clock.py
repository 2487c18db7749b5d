"""Time, passed in: nothing below the composition root asks the system for it.

Times are seconds since the epoch, UTC (`float`). Durations are seconds.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from typing_extensions import override


class Clock(Protocol):
    """What the time is, and waiting for it to pass."""

    def now(self) -> float:
        """Seconds since the epoch, UTC. May step back when the system's clock is set."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never steps back, may pause while suspended."""

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds` of this clock have passed."""


class SystemClock(Clock):
    """The machine's clock."""

    @override
    def now(self) -> float:
        """Wall clock time."""
        return time.time()

    @override
    def monotonic(self) -> float:
        """Time since the machine started."""
        return time.monotonic()

    @override
    async def sleep(self, seconds: float) -> None:
        """Wait in earnest."""
        await asyncio.sleep(seconds)
