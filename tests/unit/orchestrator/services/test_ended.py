"""Ended sessions are read when somebody asks; a damaged one does not hide the others."""

from __future__ import annotations

import pytest

from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.person import OWNER
from orchestrator.domain.when import clock
from orchestrator.errors import Conflict, NotFound
from orchestrator.services import ended
from orchestrator.services.approve import approve
from orchestrator.services.hold import hold
from orchestrator.services.kill import kill
from orchestrator.services.merge import merge
from orchestrator.services.pause import pause
from orchestrator.services.send import send
from orchestrator.testing.ring import Ring

DEMO = ProjectId("demo")


async def test_newest_first_and_only_so_many(ring: Ring) -> None:
    for number in range(1, 4):
        one = await ring.spawn(str(number))
        ring.clock.advance(10)
        await kill(ring.core, one, by=OWNER)
        await ring.settle()
    assert [s.id for s in await ended.listed(ring.core)] == ["demo-3", "demo-2", "demo-1"]
    assert [s.id for s in await ended.listed(ring.core, DEMO, most=1)] == ["demo-3"]


async def test_damaged_one_is_left_out(ring: Ring) -> None:
    one, two = await ring.spawn("1"), await ring.spawn("2")
    for session in (one, two):
        await kill(ring.core, session, by=OWNER)
    await ring.settle()
    ring.core.home.project(DEMO).ended_session(one).document.write_text("{")
    assert [s.id for s in await ended.listed(ring.core)] == [two]


async def test_none_of_that_name(ring: Ring) -> None:
    with pytest.raises(NotFound):
        await ended.one(ring.core, SessionId("demo-9"))


async def test_second_click_on_what_has_ended_is_told_who_was_first(ring: Ring) -> None:
    ring.rules(approvals=0)
    one = await ring.spawn()
    head = await ring.pull_request(one)
    await ring.checks(one, passed=True)
    await merge(ring.core, one, head=head, by=OWNER)
    at = clock(ring.clock.now())
    await ring.settle()
    commit = (await ended.one(ring.core, one)).changes[-1].pr.merge_commit[:7]
    for again in (
        merge(ring.core, one, head=head, by=OWNER),
        approve(ring.core, one, head=head, by=OWNER),
        hold(ring.core, one, by=OWNER),
        pause(ring.core, one, by=OWNER),
        send(ring.core, one, "more", by=OWNER),
        kill(ring.core, one, by=OWNER),
    ):
        with pytest.raises(Conflict, match=f"#1 was merged by owner at {at} as {commit}"):
            await again


async def test_second_kill_is_told_who_was_first(ring: Ring) -> None:
    one = await ring.spawn()
    await kill(ring.core, one, by=OWNER)
    at = clock(ring.clock.now())
    await ring.settle()
    with pytest.raises(Conflict, match=f"it has ended: ended by owner, at {at}"):
        await kill(ring.core, one, by=OWNER)
