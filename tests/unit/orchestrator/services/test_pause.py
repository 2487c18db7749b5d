"""The brake: one session, or all."""

from __future__ import annotations

import pytest

from orchestrator.domain.person import OWNER
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
