"""The brake: one session, or all."""

from __future__ import annotations

import pytest

from orchestrator.domain.person import OWNER
from orchestrator.domain.when import clock
from orchestrator.errors import Conflict, TemporaryError
from orchestrator.lifecycle.queue import Room
from orchestrator.services.kill import kill
from orchestrator.services.pause import pause, unpause
from orchestrator.services.send import send
from orchestrator.testing import examples as ex
from orchestrator.testing.ring import Ring


async def test_pause_all_and_back_is_repeatable_and_leaves_the_ending_alone(ring: Ring) -> None:
    one, two, three = [await ring.spawn(str(n)) for n in (1, 2, 3)]
    ring.workspace.fail_next("remove", TemporaryError("busy"))
    await kill(ring.core, three, by=OWNER)
    assert {s.id for s in await pause(ring.core, None, by=ex.ADA)} == {one, two}
    assert await pause(ring.core, None, by=ex.ADA) == []
    assert (ring.status(one), ring.session(one).status.reason) == ("paused", "paused by ada")
    assert ring.status(three) == "killed"
    assert {s.id for s in await unpause(ring.core, None, by=OWNER)} == {one, two}
    assert ring.status(one) == "idle"


async def test_nothing_is_done_for_a_paused_session_not_even_a_merge_by_rule(ring: Ring) -> None:
    one = await ring.spawn()
    await ring.pull_request(one)
    await pause(ring.core, one, by=OWNER)
    await ring.checks(one, passed=False, tail="E")
    await send(ring.core, one, "go on", by=OWNER)
    await ring.later(60)
    assert ring.runtime.terminals[one].sent == []
    await unpause(ring.core, one, by=OWNER)
    await ring.later(10)
    assert len(ring.runtime.terminals[one].sent) == 2


async def test_pause_of_a_waiting_session_keeps_it_from_starting(ring: Ring) -> None:
    ring.room.append(Room(sessions=0))
    one = await ring.spawn()
    await pause(ring.core, one, by=OWNER)
    ring.room.append(Room(sessions=5))
    await ring.later(30)
    assert (ring.status(one), ring.runtime.starts) == ("paused", [])
    await unpause(ring.core, one, by=OWNER)
    await ring.settle()
    assert ring.status(one) == "idle"


async def test_session_that_ends_cannot_be_paused(ring: Ring) -> None:
    one = await ring.spawn()
    ring.workspace.fail_next("remove", TemporaryError("busy"))
    await kill(ring.core, one, by=OWNER)
    with pytest.raises(Conflict):
        await pause(ring.core, one, by=OWNER)


async def test_brake_keeps_new_sessions_from_starting_until_it_is_released_also_over_a_restart(
    ring: Ring,
) -> None:
    one = await ring.spawn("1")
    await pause(ring.core, None, by=ex.ADA)
    since = clock(ring.clock.now())
    ring.clock.advance(5)
    await pause(ring.core, None, by=OWNER)
    words = f"the brake is on, by ada since {since}"
    assert ring.core.brake == words
    two = await ring.spawn("2")
    again = await ring.crash()
    await again.later(60)
    assert (again.status(one), again.status(two)) == ("paused", "queued")
    assert words in again.session(two).status.reason
    await unpause(again.core, None, by=OWNER)
    await again.settle()
    assert (again.status(one), again.status(two), again.core.brake) == ("idle", "idle", "")
