"""How soon Slack is answered while a thousand sessions tick, and what both surfaces cost. Played by `make bench`.

The real slack-bolt, against the fake Slack in a process of its own. `BENCH_MINUTES` says how long is waited (10).
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from statistics import median, quantiles

import pytest

from bot.actions.runner import Actions
from bot.chat.access import Access
from bot.chat.desk import Desk
from bot.demo import sandbox
from bot.demo.cast import WITHOUT_PROXIES, Cast
from bot.demo.slack_hand import FakeServer
from bot.demo.slack_person import SlackWorld, buttons
from bot.demo.slack_refusals import Json
from bot.demo.slack_workspace import ADA, DEMO
from bot.frontends.chat import Chat
from bot.frontends.dispatch import Dispatch
from bot.frontends.slack.front import SlackFrontEnd
from orchestrator.domain.rights import People, Person, Role
from orchestrator.settings.chat_model import SlackKeys
from orchestrator.testing.ring import Ring, open_ring
from tests.benchmarks.numbers import say
from tests.benchmarks.program import Program, cost, memory
from tests.benchmarks.test_tick import SESSIONS, idle
from tests.benchmarks.waiting_issues import waiting_issues
from tests.integration.bolt_app import drop_proxies

pytestmark = pytest.mark.bench

ASKED = 200
TICK_EVERY = 2.0
"""Seconds between ticks: more than twice as often as in earnest."""
MOST_ACK_MS = 100.0
IDLE_SESSIONS = 30
MINUTES = float(os.environ.get("BENCH_MINUTES") or 10)
MOST_MB = 110.0
PEOPLE = People((Person(handle="ada", ids={"slack": ADA}, roles={"*": Role.ADMIN}),))


@pytest.fixture(autouse=True)
def blockbuster() -> None:
    """Not here: it would be measured too."""


async def ticking(ring: Ring) -> None:
    while True:
        ring.clock.advance(5.0)
        await ring.rounds.round()
        await asyncio.sleep(TICK_EVERY)


def front_end(ring: Ring, fake: FakeServer) -> SlackFrontEnd:
    core = ring.core
    actions = Actions(core, access=Access(lambda: PEOPLE), clock=core.clock)
    desk = Desk(actions, core.store.requests, core.clock.now)
    keys = SlackKeys(bot_token="xoxb-fake", app_token="xapp-fake", api_url=fake.api, channel=DEMO)  # noqa: S106
    chat = Chat(core=core, dispatch=Dispatch(core, actions, desk), desk=desk, access=actions.access)
    return SlackFrontEnd(keys, chat)


async def test_acknowledgements_while_a_thousand_sessions_tick(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop_proxies(monkeypatch)
    fake = FakeServer.start()
    ring = await open_ring(tmp_path)
    ring.fleet.adopt(idle(ring, number) for number in range(1, SESSIONS + 1))
    await ring.settle()
    front = front_end(ring, fake)
    tick = asyncio.create_task(ticking(ring))
    try:
        async with SlackWorld(fake.page) as slack:
            began = time.perf_counter()
            await front.start()
            await slack.sockets(opened=1)
            cards = await _cards(slack)
            say(f"{SESSIONS} cards posted", time.perf_counter() - began, "s")
            typed, pressed = await _commands(slack), await _presses(slack, cards)
    finally:
        tick.cancel()
        await asyncio.gather(tick, return_exceptions=True)
        await front.stop()
        await ring.close()
        fake.close()
    note = "from the person's side: with the fake's own work and the way to it"
    for what, spent in (("a slash command acknowledged", typed), ("a press acknowledged", pressed)):
        say(f"{what}, {SESSIONS} sessions tick, median", median(spent), "ms")
        say(f"{what}, {SESSIONS} sessions tick, p99", quantiles(spent, n=100)[98], "ms", MOST_ACK_MS, note)


async def _cards(slack: SlackWorld) -> list[Json]:
    """One for each session, once all are there."""
    found: list[Json] = await slack.until(
        lambda state: cards if len(cards := [m for m in _of(state) if buttons(m)]) >= SESSIONS else None,
        "a thousand cards",
        ADA,
        patience=300,
    )
    return found


async def _commands(slack: SlackWorld) -> list[float]:
    spent = []
    for number in range(1, ASKED + 1):
        verb = "hold" if number % 2 else "unhold"
        before = time.perf_counter()
        assert (await slack.person(ADA).slash(DEMO, f"{verb} demo-{number}", wait=0.0)).acked
        spent.append(1000 * (time.perf_counter() - before))
    return spent


async def _presses(slack: SlackWorld, cards: list[Json]) -> list[float]:
    spent = []
    for card in cards[-ASKED:]:
        before = time.perf_counter()
        assert (await slack.person(ADA).choose(DEMO, card["ts"], "ao:menu", "Pause")).acked
        spent.append(1000 * (time.perf_counter() - before))
    return spent


def _of(state: Json) -> list[Json]:
    return [m for room in state["channels"] if room["id"] == DEMO for m in room["messages"]]


@pytest.mark.tmux
@pytest.mark.git
def test_thirty_idle_sessions_with_console_and_slack(tmp_path: Path) -> None:
    fake = FakeServer.start(tmp_path / "slack.log")
    cast = Cast(fleet=fake.configuration, environment=WITHOUT_PROXIES)
    place = sandbox.make(tmp_path, cast)
    numbers = waiting_issues(place, IDLE_SESSIONS)
    try:
        with Program(tmp_path, place, cast).serving() as program:
            program.spawn_idle(numbers)
            program.until("every card is posted", lambda: _calls(tmp_path) >= IDLE_SESSIONS)
            over = time.monotonic() + 10
            program.until("it has come to rest", lambda: time.monotonic() > over, pause=1)
            before, began = _calls(tmp_path), cost(program.pid)
            over = time.monotonic() + 60 * MINUTES
            program.until(
                "the idle time is over", lambda: time.monotonic() > over, patience=120 * MINUTES + 1, pause=1
            )
            spent, used, calls = (
                cost(program.pid).since(began),
                memory(program.pid),
                _calls(tmp_path) - before,
            )
    finally:
        fake.close()
    what = f"ao start, console and Slack, {IDLE_SESSIONS} idle sessions, {MINUTES:g} minutes"
    say(f"{what}, resident", used["resident"], "MB", MOST_MB, f"unique {used['unique']:.1f}")
    say(f"{what}, processor", 100 * (spent.own + spent.children) / spent.at, "% of a core")
    say(f"{what}, calls to Slack", calls, "calls", 0)


def _calls(folder: Path) -> int:
    text = (folder / "slack.log").read_text() if (folder / "slack.log").exists() else ""
    return sum('"chat.' in line for line in text.splitlines())
