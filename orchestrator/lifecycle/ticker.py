"""Wakes the ring: every few seconds by APScheduler, sooner when something said that it changed.

What a forge tells of is looked at beside it, at once.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from orchestrator.lifecycle.fleet import Fleet
from orchestrator.lifecycle.pulse import Pulse
from orchestrator.lifecycle.rounds import Rounds

if TYPE_CHECKING:
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

log = logging.getLogger(__name__)
TICK = 5.0
"""Seconds between rounds when nothing wakes the ring."""


class Ticker:
    """The endless loop. It only waits; `Rounds.round` does the work."""

    def __init__(self, fleet: Fleet, rounds: Rounds, *, tick: float = TICK) -> None:
        self._fleet = fleet
        self._rounds = rounds
        self._tick = tick
        self.pulse = Pulse()
        self._scheduler: AsyncIOScheduler | None = None
        self._tasks: tuple[asyncio.Task[None], ...] = ()

    async def start(self) -> None:
        """Make the first round, then go on until `stop`."""
        from apscheduler.schedulers.asyncio import AsyncIOScheduler

        began = self._mono()
        await self._rounds.first()
        self.pulse.ended(began, self._mono())
        scheduler = AsyncIOScheduler(timezone="UTC")
        scheduler.add_job(
            self._poke,
            "interval",
            seconds=self._tick,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
        scheduler.start()
        self._scheduler = scheduler
        self._tasks = (
            asyncio.create_task(self._loop(), name="ring"),
            asyncio.create_task(self._listen(), name="forges"),
        )

    async def _poke(self) -> None:
        self._fleet.wake()

    async def _loop(self) -> None:
        while True:
            await self._fleet.awake.wait()
            began, failed = self._mono(), True
            try:
                await self._rounds.round()
                failed = False
            except Exception:
                # A round that failed as a whole must not end the ring; the next one looks again.
                log.exception("round failed")
                self._fleet.awake.clear()
            self.pulse.ended(began, self._mono(), failed=failed)

    async def _listen(self) -> None:
        """Look at once at what a forge told of."""
        while True:
            await self._fleet.told.wait()
            try:
                await self._rounds.look_at_forge()
            except Exception:
                # As for a round: the next one looks again when it is due.
                log.exception("look at the forge failed")

    def _mono(self) -> float:
        return self._fleet.world.clock.monotonic()

    async def stop(self) -> None:
        """End the loop; a round under way is cut short, kept state carries on."""
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = ()
        await self._rounds.close()
