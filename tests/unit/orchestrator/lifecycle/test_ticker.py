"""The loop that waits: a wake makes a round, a failed round ends nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from pathlib import Path

import apscheduler.schedulers.asyncio  # noqa: F401 - else its import would read files on the loop
import pytest
from typing_extensions import override

from orchestrator.domain.ids import SessionId
from orchestrator.domain.look import Look
from orchestrator.domain.pull_request import PullRequest, PullRequestState
from orchestrator.errors import TemporaryError
from orchestrator.lifecycle.ticker import Ticker
from orchestrator.ports.session_ref import SessionRef
from orchestrator.testing.fakes.scm import FakeScm
from orchestrator.testing.ring import FakeWorld, Ring, open_ring
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


class Gated(FakeScm):
    """A forge whose looks take as long as a test wants."""

    def __init__(self) -> None:
        super().__init__(runs=("tests",))
        self.gates: list[asyncio.Event] = []
        self.asked: list[set[SessionId]] = []

    @override
    async def observe(self, sessions: Collection[SessionRef]) -> Mapping[SessionId, Look[PullRequest | None]]:
        answer = await super().observe(sessions)
        self.asked.append({session.id for session in sessions})
        if self.gates:
            await self.gates.pop(0).wait()
        return answer


async def until_closed(ring: Ring, session: SessionId) -> None:
    async def closed() -> bool:
        change = ring.session(session).change
        return change is not None and change.pr.state is PullRequestState.CLOSED

    await eventually(closed, bool, limit=5)


async def test_what_a_forge_tells_is_seen_while_a_round_waits_and_is_not_overwritten(tmp_path: Path) -> None:
    world, scm = FakeWorld(), Gated()
    world.scm = scm
    ring = await open_ring(tmp_path, world=world)
    ticker = Ticker(ring.fleet, ring.rounds, tick=3600)
    session, other = await ring.spawn("1"), await ring.spawn("2")
    await ring.pull_request(session)
    await ticker.start()
    slow = asyncio.Event()
    scm.gates.append(slow)
    scm.asked.clear()
    ring.fleet.wake(session)

    async def asked() -> int:
        return len(scm.asked)

    await eventually(asked, bool, limit=5)
    scm.set_pull(session, state=PullRequestState.CLOSED)
    ring.fleet.forge_told(session)
    ring.fleet.forge_told(SessionId("demo-99"))
    await until_closed(ring, session)
    assert scm.asked[1] == {session}, "not the other one, and none that is not there"
    slow.set()
    ring.fleet.wake(other)
    await eventually(asked, lambda found: found > 2, limit=5)
    await until_closed(ring, session)  # the round's own look began before, and counts no more
    await ticker.stop()
    await ring.close()


async def test_a_failed_look_at_a_forge_ends_nothing(ring: Ring, caplog: pytest.LogCaptureFixture) -> None:
    class Failing(Counted):
        async def look_at_forge(self) -> None:
            self._ring.fleet.take_told()
            self.rounds += 1
            raise ZeroDivisionError

    session = await ring.spawn()
    rounds = Failing(ring)
    ticker = Ticker(ring.fleet, rounds, tick=3600)  # type: ignore[arg-type]
    await ticker.start()
    for count in (1, 2):
        ring.fleet.forge_told(session)
        await seen(rounds, count)
    assert "ZeroDivisionError" in caplog.text
    await ticker.stop()
