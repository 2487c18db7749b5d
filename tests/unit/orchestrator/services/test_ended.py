"""Ended sessions are read when somebody asks; a damaged one does not hide the others."""

from __future__ import annotations

import pytest

from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.person import OWNER
from orchestrator.errors import NotFound
from orchestrator.services import ended
from orchestrator.services.kill import kill
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
