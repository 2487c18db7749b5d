"""The loop that waits: a wake makes a round, a failed round ends nothing."""

from __future__ import annotations

import asyncio

import apscheduler.schedulers.asyncio  # noqa: F401 - else its import would read files on the loop
import pytest

from orchestrator.errors import TemporaryError
from orchestrator.lifecycle.ticker import Ticker
from orchestrator.testing.ring import Ring
from orchestrator.testing.waiting import eventually


class Counted:
    """Rounds that only count; some fail."""

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self.firsts = 0
        self.rounds = 0
        self.closed = False
        self.failures: list[Exception] = []

    async def first(self) -> None:
        self.firsts += 1

    async def round(self) -> None:
        self._ring.fleet.take_woken()
        self.rounds += 1
        if self.failures:
            raise self.failures.pop()

    async def close(self) -> None:
        self.closed = True


async def seen(rounds: Counted, count: int) -> None:
    async def look() -> int:
        return rounds.rounds

    await eventually(look, lambda found: found >= count, limit=5)


async def test_wake_makes_a_round_at_once_and_a_failed_round_ends_nothing(
    ring: Ring, caplog: pytest.LogCaptureFixture
) -> None:
    rounds = Counted(ring)
    ring.fleet.take_woken()
    ticker = Ticker(ring.fleet, rounds, tick=3600)  # type: ignore[arg-type]
    await ticker.start()
    assert (rounds.firsts, rounds.rounds) == (1, 0)
    rounds.failures = [ZeroDivisionError("a defect"), TemporaryError("the disk is full")]
    for count in (1, 2, 3):
        ring.fleet.wake()
        await seen(rounds, count)
    assert "a defect" in caplog.text
    await ticker.stop()
    assert rounds.closed
    ring.fleet.wake()
    await asyncio.sleep(0)
    assert rounds.rounds == 3


async def test_without_a_wake_the_clock_makes_a_round(ring: Ring) -> None:
    rounds = Counted(ring)
    ring.fleet.take_woken()
    ticker = Ticker(ring.fleet, rounds, tick=0.05)  # type: ignore[arg-type]
    await ticker.start()
    await seen(rounds, 2)
    await ticker.stop()


async def test_ticker_that_was_never_started_can_be_stopped(ring: Ring) -> None:
    rounds = Counted(ring)
    await Ticker(ring.fleet, rounds).stop()  # type: ignore[arg-type]
    assert rounds.closed
