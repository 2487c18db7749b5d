"""Suspend, and a clock that is set: nobody is called stuck for time that passed unseen, and all goes on.

The real program over real tmux, in this process, with a clock that jumps.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typing_extensions import override

from bot.app import App, open_app
from bot.demo.evidence import clean_environment
from orchestrator.clock import SystemClock
from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import OWNER
from orchestrator.domain.session import Session
from orchestrator.services.send import send
from orchestrator.services.spawn import SpawnAsk, spawn
from orchestrator.storage.lock import hold
from orchestrator.testing.waiting import eventually
from tests.integration.faults.house import House

pytestmark = [pytest.mark.tmux, pytest.mark.git, pytest.mark.timeout(90)]

HOUR = 3600.0


class JumpingClock(SystemClock):
    """The real clock, moved."""

    def __init__(self) -> None:
        self.wall = 0.0
        self.machine = 0.0

    @override
    def now(self) -> float:
        return time.time() + self.wall

    @override
    def monotonic(self) -> float:
        return time.monotonic() + self.machine


class Fleet:
    """An app whose clock can be moved."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.clock = JumpingClock()
        app.core.fleet.world.clock = self.clock

    async def session(self, name: SessionId) -> Session:
        return self.app.core.fleet.get(name)

    async def until(self, name: SessionId, *statuses: str) -> Session:
        return await eventually(lambda: self.session(name), lambda s: s.status.status.value in statuses, 20.0)

    async def told(self) -> list[str]:
        return [logged.event.type for logged in await self.app.core.store.log.read(0, 1000)]

    async def looked(self, name: SessionId) -> None:
        """Two whole rounds, with everything due."""
        for _ in range(2):
            self.app.core.fleet.wake(name)
            await self.app.rounds.round()


@pytest.fixture(autouse=True)
def blockbuster() -> None:
    """Not here: a start reads its files on the loop, when nobody waits yet."""


@pytest.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[Fleet]:
    house = House(tmp_path, {1: [{"hang": True}, {"wait": True}]})
    with hold(house.home, what="test", now=time.time()):
        app = await open_app(house.home, house.config, clean_environment(house.home.path))
        found = Fleet(app)
        app.watcher.start()
        await app.ticker.start()
        yield found
        await app.close()
    house.close()


async def working(fleet: Fleet) -> SessionId:
    made = await spawn(fleet.app.core, SpawnAsk(project="demo", issue="1"), by=OWNER)
    await eventually(lambda: fleet.session(made.id), lambda s: s.work.activity.state.value == "busy", 20.0)
    await fleet.looked(made.id)
    return made.id


async def test_time_that_really_passed_without_progress_is_stuck(fleet: Fleet) -> None:
    name = await working(fleet)
    fleet.clock.wall += HOUR
    fleet.clock.machine += HOUR
    await fleet.looked(name)
    assert (await fleet.session(name)).status.status.value == "stuck"


@pytest.mark.parametrize("jump", [2 * HOUR, -2 * HOUR, 400 * 24 * HOUR, -400 * 24 * HOUR])
async def test_a_jump_of_the_clock_makes_nobody_stuck(fleet: Fleet, jump: float) -> None:
    name = await working(fleet)
    fleet.clock.wall += jump
    await fleet.looked(name)
    assert (await fleet.session(name)).status.status.value == "working"
    assert "session.stuck" not in await fleet.told()
    await send(fleet.app.core, name, "after the jump", by=OWNER)
    second = await spawn(fleet.app.core, SpawnAsk(project="demo", issue="1", again=True), by=OWNER)
    await fleet.until(second.id, "working")
    assert "session.errored" not in await fleet.told()


async def test_after_a_jump_back_the_timers_run_again(fleet: Fleet) -> None:
    name = await working(fleet)
    fleet.clock.wall -= 5 * HOUR
    await fleet.looked(name)
    fleet.clock.wall += HOUR
    fleet.clock.machine += HOUR
    await fleet.looked(name)
    assert (await fleet.session(name)).status.status.value == "stuck"
