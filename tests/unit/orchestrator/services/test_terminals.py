"""Terminals that end with this process: said so, kept so, shown so, and started again."""

from __future__ import annotations

from orchestrator.services import terminals
from orchestrator.testing.ring import Ring


async def test_what_ends_with_us_is_kept_as_that_and_started_again(ring: Ring) -> None:
    one = await ring.spawn()
    assert terminals.ending_with_us(ring.core) == []
    ring.runtime.survives = False
    assert [s.id for s in terminals.ending_with_us(ring.core)] == [one]
    await terminals.let_go(ring.core)
    assert (ring.status(one), ring.session(one).status.reason) == ("detecting", terminals.ENDED)
    ring.runtime.vanish()
    again = await ring.crash()
    assert (again.status(one), again.runtime.starts) == ("idle", [one, one])


async def test_after_a_crash_it_is_shown_as_ended_and_nothing_is_kept_of_that(ring: Ring) -> None:
    one = await ring.spawn()
    ring.runtime.survives = False
    document = ring.core.home.project(ring.session(one).project).session(one).document
    before = document.read_bytes()
    terminals.show_as_ended(ring.core)
    assert (ring.status(one), ring.session(one).status.reason) == ("detecting", terminals.ENDED)
    assert document.read_bytes() == before
