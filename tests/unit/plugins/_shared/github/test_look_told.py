"""What webhooks tell of: looked at at once, mere progress within seconds, and very much of it together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from orchestrator.domain.pull_request import Checks
from plugins._shared.github import pace as github_pace
from tests.unit.plugins._shared.github.rig import PATIENCE, REPO, Rig, rested, rigged, until

pytestmark = pytest.mark.git


@pytest_asyncio.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rigged(tmp_path) as made:
        yield made


async def test_progress_of_checks_is_looked_at_together_and_holds_up_nothing_that_people_do(rig: Rig) -> None:
    number = await rested(rig)
    rig.looker.cover(REPO, covered=True)
    queries = rig.queries
    for _ in range(300):  # one a second for five minutes
        rig.pass_time(1)
        rig.looker.hint(rig.session().id)
        await rig.looks([rig.session()])
    assert 25 <= rig.queries - queries <= 32
    for turn in range(15):  # what people do meanwhile is seen each time, with no second in between
        rig.looker.hint(rig.session().id)
        rig.github.control.comment(REPO, number, f"remark {turn}", by="ana")
        rig.looker.heard(rig.session().id)
        assert len((await rig.seen(after=None)).comments) == turn + 1


async def test_what_a_webhook_tells_while_a_look_is_under_way_is_looked_at_after_it(rig: Rig) -> None:
    number = await rested(rig)
    rig.looker.cover(REPO, covered=True)
    rig.looker.patience = 0.0
    rig.looker.heard(rig.session().id)
    await rig.looks([rig.session()])
    await asyncio.sleep(0)  # it begins
    rig.github.control.comment(REPO, number, "hello", by="ana")
    rig.looker.heard(rig.session().id)
    rig.woken.clear()
    await until(lambda: bool(rig.woken))
    rig.looker.patience = PATIENCE
    assert len((await rig.seen(after=None)).comments) == 1


async def test_progress_wakes_its_session_when_nobody_asks(rig: Rig) -> None:
    await rested(rig)
    rig.looker.soon = 1.0
    rig.woken.clear()
    rig.looker.hint(rig.session().id)
    rig.pass_time(1)
    await until(lambda: rig.woken == [rig.session().id])


async def test_a_check_that_began_is_seen_within_ten_seconds_and_along_with_another_session(rig: Rig) -> None:
    first = await rested(rig)
    await rig.opened(2)
    both = [rig.session(1), rig.session(2)]
    await rig.looks(both)
    rig.pass_time(100)
    await rig.looks(both)
    rig.looker.cover(REPO, covered=True)
    await rig.check(first, "test", None)
    rig.looker.hint(both[0].id)
    rig.pass_time(github_pace.SOON - 1)
    assert (await rig.seen(after=None)).checks is not Checks.PENDING
    rig.pass_time(1)
    assert (await rig.seen(after=None)).checks is Checks.PENDING
    await rig.check(first, "test", "failure")
    rig.looker.hint(both[0].id)
    rig.looker.heard(both[1].id)
    rig.woken.clear()
    await rig.looks(both[1:])
    assert rig.woken == [both[0].id], "nobody asked about it, so it says itself that it changed"
    assert (await rig.seen(after=None)).checks is Checks.FAILING


async def test_very_many_deliveries_are_looked_at_together(rig: Rig) -> None:
    await rested(rig)
    rig.looker.cover(REPO, covered=True)
    queries = rig.queries
    for _ in range(600):  # ten a second for a minute
        rig.pass_time(0.1)
        rig.looker.heard(rig.session().id)
        await rig.looks([rig.session()])
    assert 140 <= rig.queries - queries <= 165
