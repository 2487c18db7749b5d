"""Finding the session that a person means."""

from __future__ import annotations

import pytest

from orchestrator.domain.person import OWNER
from orchestrator.errors import BadInput, NotFound
from orchestrator.services import ended, sessions
from orchestrator.services.kill import kill
from orchestrator.testing.ring import Ring


async def test_by_id_issue_and_pull_request(ring: Ring) -> None:
    one, two = await ring.spawn("11"), await ring.spawn("12")
    await ring.pull_request(two)
    for text in (one, one.upper(), " 11 ", "#11"):
        assert (await sessions.one(ring.core, text)).id == one
    assert (await sessions.one(ring.core, "#1")).id == two
    assert sessions.live(ring.core, one).id == one


async def test_what_fits_several_is_not_guessed(ring: Ring) -> None:
    one, two = await ring.spawn("2"), await ring.spawn("1")
    await ring.pull_request(one)
    with pytest.raises(BadInput, match=f"{one}, {two}"):
        await sessions.one(ring.core, "1")


async def test_ended_ones_are_found_and_listed(ring: Ring) -> None:
    one, two = await ring.spawn("1"), await ring.spawn("2")
    await kill(ring.core, one, by=OWNER)
    await ring.settle()
    assert (await sessions.one(ring.core, one)).status.status.value == "killed"
    assert [s.id for s in await sessions.listed(ring.core)] == [two]
    assert {s.id for s in await sessions.listed(ring.core, project="demo", ended=True)} == {one, two}
    assert [s.id for s in await ended.listed(ring.core)] == [one]


async def test_those_too_old_for_the_list_are_counted(ring: Ring) -> None:
    for issue in ("1", "2", "3"):
        await kill(ring.core, await ring.spawn(issue), by=OWNER)
    await ring.settle()
    assert await sessions.left_out(ring.core) == 0
    assert [s.id for s in await ended.listed(ring.core, most=2)] == ["demo-3", "demo-2"]
    assert await ended.older(ring.core, most=2) == 1


@pytest.mark.parametrize("text", ["demo-9", "nonsense", "", "#"])
async def test_nothing_fits(ring: Ring, text: str) -> None:
    await ring.spawn()
    with pytest.raises(NotFound):
        await sessions.one(ring.core, text)


async def test_project_that_is_not_there(ring: Ring) -> None:
    with pytest.raises(NotFound):
        await sessions.listed(ring.core, project="other")


async def test_looking_up_sessions_changes_none(ring: Ring) -> None:
    one = await ring.spawn()
    ring.runtime.vanish(one)
    before = ring.session(one)
    await sessions.listed(ring.core, ended=True)
    await sessions.one(ring.core, one)
    assert ring.session(one) is before
