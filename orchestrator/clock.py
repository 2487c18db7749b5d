"""Time, passed in: nothing below the composition root asks the system for it.

Times are seconds since the epoch, UTC (`float`). Durations are seconds.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """What the time is, and waiting for it to pass."""

    def now(self) -> float:
        """Seconds since the epoch, UTC. May step back when the system's clock is set."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never steps back, may pause while suspended."""

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds` of this clock have passed."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
