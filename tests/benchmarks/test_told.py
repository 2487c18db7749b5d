"""From an event that is kept to its post and its card in Slack. Played by `make bench`.

The real front end over fake ports, against the fake Slack in a process of its own.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import pytest

from bot.demo.slack_hand import FakeServer
from bot.demo.slack_person import SlackWorld
from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import OWNER
from orchestrator.services.hold import hold
from orchestrator.testing.ring import Ring, open_ring
from orchestrator.testing.waiting import eventually
from tests.benchmarks.numbers import say
from tests.benchmarks.test_chat import front_end
from tests.benchmarks.test_tick import idle
from tests.integration.bolt_app import drop_proxies

pytestmark = pytest.mark.bench

SESSIONS = 200
PATIENCE = 120.0


@pytest.fixture(autouse=True)
def blockbuster() -> None:
    """Not here: it would be measured too."""


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeServer]:
    """The workspace's server; it keeps each call in a log."""
    made = FakeServer.start(tmp_path / "slack.log")
    yield made
    made.close()


@pytest.fixture
async def ring(tmp_path: Path) -> AsyncIterator[Ring]:
    made = await open_ring(tmp_path)
    made.fleet.adopt(idle(made, number) for number in range(1, SESSIONS + 1))
    await made.settle()
    yield made
    await made.close()


@pytest.fixture
async def slack(ring: Ring, fake: FakeServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SlackWorld]:
    """The workspace, once every session has its card there."""
    drop_proxies(monkeypatch)
    front = front_end(ring, fake)
    await front.start()
    async with SlackWorld(fake.page) as world:
        await calls(world, "chat.postMessage", SESSIONS)
        yield world
    await front.stop()


async def calls(world: SlackWorld, method: str, number: int) -> list[dict[str, Any]]:
    """The calls of a method that Slack took, once there are so many."""

    async def look() -> list[dict[str, Any]]:
        return [one for one in await world.calls(method) if one["ok"]]

    return await eventually(look, lambda found: len(found) >= number, PATIENCE)


async def test_an_event_reaches_slack(ring: Ring, slack: SlackWorld) -> None:
    """One event at a time: what one channel's calls wait for each other is Slack's own limit."""
    ring.clock.advance(10.0)  # the cards' own pace is over
    shown, told = [], []
    for number in range(1, SESSIONS + 1):
        await hold(ring.core, SessionId(f"demo-{number}"), by=OWNER)
        kept = time.time()
        told.append(1000 * ((await calls(slack, "chat.postMessage", SESSIONS + number))[-1]["time"] - kept))
        shown.append(1000 * ((await calls(slack, "chat.update", number))[-1]["time"] - kept))
    note = f"{SESSIONS} sessions; to the millisecond, with the fake's own work"
    for what, spent in (("its post arrived in Slack", told), ("its card changed in Slack", shown)):
        say(f"event kept until {what}, median", median(spent), "ms", note=note)
        say(f"event kept until {what}, p95", quantiles(spent, n=20)[18], "ms")
        say(f"event kept until {what}, p99", quantiles(spent, n=100)[98], "ms")
