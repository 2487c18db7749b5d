"""What GitHub's scm is told by webhooks: it looks at once, and does not ask about what rests."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from typing_extensions import override

from bot.demo.github.checks import Report
from bot.demo.github.model import Hook
from orchestrator.errors import NotAllowed
from orchestrator.ports.plugin import PluginContext
from orchestrator.ports.scm import Heard, Hears, ManagesHooks
from orchestrator.testing.contracts.scm import look
from orchestrator.testing.fakes.clock import FakeClock
from tests.contracts.github_bench import REPO, GitHubBench

pytestmark = pytest.mark.git
SECRET = "s3cret"  # noqa: S105 - of this test alone
NOWHERE = "http://127.0.0.1:9/hooks/github/demo"


class HeardBench(GitHubBench):
    """A repository with a hook; what it sends is handed over by the test."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.time = FakeClock()
        self.time.advance(time.time() - self.time.now())
        self.taken = 0

    @override
    def context(self) -> PluginContext:
        return replace(super().context(), now=self.time.now)

    def later(self, seconds: float) -> None:
        """Here and at GitHub."""
        self.time.advance(seconds)
        self.github.control.advance(seconds)

    def hook(self) -> None:
        self.scm.hook_place(self.project)[0].now = self.time.now  # type: ignore[attr-defined]
        repository = self.github.world.repository(REPO)
        repository.hooks[1] = Hook(1, NOWHERE, SECRET, ["*"], "json", 0.0, 0.0)

    async def sent(self) -> list[Heard]:
        """Everything that was sent since, read; nothing of it is taken yet."""
        await self.github.control.settle()
        new = self.github.control.webhooks.sent[self.taken :]
        self.taken += len(new)
        read = []
        for delivery in new:
            headers = {name.lower(): value for name, value in delivery.headers().items()}
            with pytest.raises(NotAllowed):
                self.scm.hear(self.project, headers, delivery.body, ["other"])
            read.append(self.scm.hear(self.project, headers, delivery.body, [SECRET]))
        return read

    async def told(self) -> set[str]:
        """Take everything that was sent; the sessions concerned."""
        heard = await self.sent()
        for one in heard:
            self.scm.take(one)
        return {session for one in heard for session in one.sessions}

    @property
    def queries(self) -> int:
        """How often it was asked by GraphQL."""
        calls = self.github.control.calls.items()
        return sum(count for name, count in calls if name.startswith("GRAPHQL") and name != "GRAPHQL points")


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[HeardBench]:
    async with HeardBench(tmp_path) as bench:
        bench.hook()
        yield bench
    assert bench.github.control.unknown == []


async def test_it_hears_and_manages_hooks(bench: HeardBench) -> None:
    assert isinstance(bench.scm, Hears)
    assert isinstance(bench.scm, ManagesHooks)


async def test_a_review_is_seen_as_soon_as_it_is_told(bench: HeardBench) -> None:
    session, _ = await bench.opened()
    await look(bench, session)
    await bench.told()
    await look(bench, session)
    bench.github.control.review(REPO, 1, "APPROVE", by="ben")
    assert not (await look(bench, session)).reviews, "from memory: no look is due"
    assert await bench.told() == {session.id}
    assert [review.author for review in (await look(bench, session)).reviews] == ["ben"]


async def test_a_check_that_fails_is_told_by_its_head(bench: HeardBench) -> None:
    session, _ = await bench.opened()
    await look(bench, session)
    await bench.told()
    await bench.github.control.check(REPO, 1, Report(name="build", conclusion="failure", log="x"))
    assert await bench.told() == {session.id}


async def test_another_sessions_news_is_not_ones_own(bench: HeardBench) -> None:
    one, _ = await bench.opened("one", 1)
    other, _ = await bench.opened("two", 2)
    await bench.scm.observe([one, other])
    await bench.told()
    bench.github.control.comment(REPO, 2, "Hi", by="ben")
    assert await bench.told() == {other.id}


async def test_what_rests_is_not_asked_about_while_webhooks_tell(bench: HeardBench) -> None:
    session, _ = await bench.opened()
    await look(bench, session)
    asked: dict[str, int] = {}
    for how in ("polled", "told"):
        if how == "told":
            bench.github.control.comment(REPO, 1, "Hi", by="ben")
            await bench.told()
            assert bench.scm.covered(bench.project)
        await look(bench, session)
        bench.later(130.0)
        await look(bench, session)
        before = bench.queries
        for _ in range(8):
            bench.later(35.0)
            await look(bench, session)
        asked[how] = bench.queries - before
    assert asked["polled"] >= 8
    assert asked["told"] <= asked["polled"] / 3


async def test_lost_deliveries_end_the_trust_and_polling_catches_up(bench: HeardBench) -> None:
    session, _ = await bench.opened()
    await look(bench, session)
    await bench.told()
    await look(bench, session)
    assert bench.scm.covered(bench.project)
    bench.later(200.0)
    bench.github.control.review(REPO, 1, "APPROVE", by="ben")
    await bench.sent()  # and never taken: lost
    bench.later(700.0)
    assert [review.author for review in (await look(bench, session)).reviews] == ["ben"]
    bench.later(61.0)
    assert not bench.scm.covered(bench.project)


async def test_lost_for_an_hour_everything_is_polled_again(bench: HeardBench) -> None:
    session, _ = await bench.opened()
    await look(bench, session)
    await bench.told()
    await look(bench, session)
    bench.later(3601.0)
    bench.github.control.review(REPO, 1, "APPROVE", by="ben")
    assert not bench.scm.covered(bench.project)
    assert (await look(bench, session)).reviews
