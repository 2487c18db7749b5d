"""How soon what a forge tells stands in the session's thread. Played by `make bench`.

A signed delivery over a real socket, its id on the disk, the ring over fake ports, the real slack-bolt, and the fake
Slack in a process of its own; measured from the delivery's first byte until a person sees the message.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from statistics import median, quantiles

import pytest
from typing_extensions import override

from bot.demo.slack_hand import FakeServer
from bot.demo.slack_person import SlackWorld
from bot.demo.slack_refusals import Json
from bot.demo.slack_workspace import ADA, DEMO
from bot.frontends.webhooks.listener import WebhookListener
from orchestrator.domain.ids import SessionId
from orchestrator.domain.look import Look
from orchestrator.domain.pull_request import PullRequest, PullRequestState, Review, ReviewDecision
from orchestrator.ports.session_ref import SessionRef
from orchestrator.testing.fakes.hearing import SIGNED_WITH, delivery
from orchestrator.testing.fakes.scm import FakeScm
from orchestrator.testing.ring import CHECK, CONFIG, FakeWorld, Ring, open_ring
from tests.benchmarks.numbers import say
from tests.benchmarks.test_chat import front_end
from tests.integration.bolt_app import drop_proxies
from tests.unit.bot.frontends.api.http import ask

pytestmark = pytest.mark.bench

SESSIONS = 30
MOST_MS = 250.0
MOST_WAKE_MS = 100.0
BURST = 500
LOOK = 0.1
"""Seconds that each look at the forge takes."""
APART = 1.2
"""Seconds between two deliveries: Slack takes one message a second in a channel."""


@pytest.fixture(autouse=True)
def blockbuster() -> None:
    """Not here: it would be measured too."""


async def turning(ring: Ring) -> None:
    """The ring, as the ticker turns it: when somebody wakes it, and every five seconds."""
    while True:
        try:
            async with asyncio.timeout(5.0):
                await ring.fleet.awake.wait()
        except TimeoutError:
            ring.fleet.wake()
        ring.clock.advance(1.0)
        await ring.rounds.round()


async def hearing(ring: Ring) -> None:
    """The other half of the ticker: what a forge tells is looked at beside the ring."""
    while True:
        await ring.fleet.told.wait()
        await ring.rounds.look_at_forge()


class Distant(FakeScm):
    """A forge whose looks take as long as GitHub's do from a good connection."""

    @override
    async def observe(self, sessions: Collection[SessionRef]) -> Mapping[SessionId, Look[PullRequest | None]]:
        await asyncio.sleep(LOOK)
        return await super().observe(sessions)


class Bench:
    """Thirty sessions with a pull request each, their webhooks, and their threads in Slack."""

    def __init__(self, ring: Ring, listener: WebhookListener) -> None:
        self.ring = ring
        self.listener = listener
        self.number = 0

    async def deliver(self, *sessions: SessionId, event: str = "pull_request") -> float:
        """Milliseconds until it was acknowledged."""
        self.number += 1
        headers, body = delivery(self.number, event, sessions=sessions)
        before = time.perf_counter()
        answer = await ask(self.listener.port, "/hooks/fake/demo", method="POST", body=body, **headers)
        assert answer.status == 202, answer
        return 1000 * (time.perf_counter() - before)

    async def seen(self, slack: SlackWorld, session: SessionId, change: Callable[[], None]) -> float:
        """Milliseconds from a delivery about a session until its thread has one message more."""
        before = _in_thread(await slack.person(ADA).state(), session)
        await asyncio.sleep(APART)
        change()
        began = time.perf_counter()
        delivered = asyncio.create_task(self.deliver(session))
        await slack.until(lambda state: _in_thread(state, session) > before, f"a reply for {session}", ADA)
        spent = 1000 * (time.perf_counter() - began)
        await delivered
        return spent


def _in_thread(state: Json, session: SessionId) -> int:
    """Messages in the session's thread; -1 before its card is there."""
    rows = [m for room in state["channels"] if room["id"] == DEMO for m in room["messages"]]
    card = next((m["ts"] for m in rows if _key(m) == f"{session}/card"), "")
    return sum(_reply(m) == card for m in rows) if card else -1


def _key(message: Json) -> str:
    return str(((message.get("metadata") or {}).get("event_payload") or {}).get("key", ""))


def _reply(message: Json) -> str:
    thread = str(message.get("thread_ts") or "")
    return thread if thread != message["ts"] else ""


async def fleet(folder: Path) -> tuple[Bench, list[SessionId]]:
    """Thirty sessions with a green pull request each, and the listener, which is not started."""
    world = FakeWorld()
    world.scm = Distant(runs=(CHECK,))
    ring = await open_ring(
        folder, world=world, config=f"{CONFIG}webhooks: {{{{listen: '127.0.0.1:8420'}}}}\n"
    )
    env = ring.core.settings.env
    assert isinstance(env, dict)
    env["AO_WEBHOOK_SECRET"] = SIGNED_WITH
    sessions = [await ring.spawn(str(number)) for number in range(1, SESSIONS + 1)]
    for session in sessions:
        await ring.pull_request(session)
        await ring.checks(session, passed=True)
    block = ring.core.settings.now.config.webhooks
    assert block is not None
    return Bench(ring, WebhookListener(ring.core, block, "127.0.0.1", 0)), sessions


async def test_a_delivery_stands_in_the_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drop_proxies(monkeypatch)
    fake = FakeServer.start()
    bench, sessions = await fleet(tmp_path)
    ring, front = bench.ring, front_end(bench.ring, fake)
    turns = [asyncio.create_task(turning(ring)), asyncio.create_task(hearing(ring))]
    try:
        await bench.listener.start()
        async with SlackWorld(fake.page) as slack:
            await front.start()
            await slack.sockets(opened=1)
            await slack.until(
                lambda state: all(_in_thread(state, s) >= 0 for s in sessions), "cards", ADA, patience=300
            )
            spent = [await bench.seen(slack, one, partial(_review, ring, one)) for one in sessions]
            spent += [await bench.seen(slack, one, partial(_merge, ring, one)) for one in sessions]
        acknowledged = [await bench.deliver() for _ in range(BURST)]
    finally:
        for turn in turns:
            turn.cancel()
        await asyncio.gather(*turns, return_exceptions=True)
        await bench.listener.stop()
        await front.stop()
        await ring.close()
        fake.close()
    _say(spent, acknowledged)


def _say(spent: list[float], acknowledged: list[float]) -> None:
    note = f"{1000 * LOOK:.0f} ms of it the look at the forge; the fake Slack and the way to it included"
    say(f"webhook to thread, {SESSIONS} sessions, median", median(spent), "ms")
    say(f"webhook to thread, {SESSIONS} sessions, p95", quantiles(spent, n=20)[18], "ms", MOST_MS, note)
    say("webhook acknowledged, its id on the disk, median", median(acknowledged), "ms")
    say("webhook acknowledged, p99", quantiles(acknowledged, n=100)[98], "ms", MOST_WAKE_MS)


def _review(ring: Ring, session: SessionId) -> None:
    pull = ring.scm.pull_of(session)
    asked = ReviewDecision.CHANGES_REQUESTED
    review = Review(author="cy", decision=asked, head=pull.head, at=ring.clock.now(), body="Name it.")
    ring.scm.set_pull(session, decision=asked, reviews=(review,))


def _merge(ring: Ring, session: SessionId) -> None:
    ring.scm.set_pull(session, state=PullRequestState.MERGED, merge_commit="f" * 40)
