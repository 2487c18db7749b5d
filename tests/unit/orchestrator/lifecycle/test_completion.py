"""One message when all work of a project has ended, and again after new work."""

from __future__ import annotations

from pathlib import Path

from orchestrator.domain.event import Event
from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import OWNER
from orchestrator.errors import TemporaryError
from orchestrator.lifecycle.completion import KEY
from orchestrator.services.kill import kill
from orchestrator.testing.ring import CONFIG, Ring, open_ring


async def complete(ring: Ring) -> list[Event]:
    return [e for e in await ring.events() if e.type == "fleet.complete"]


async def end(ring: Ring, *sessions: SessionId) -> None:
    for session in sessions:
        await kill(ring.core, session, by=OWNER)
    await ring.settle()
    ring.clock.advance(5)
    await ring.settle()


async def test_nothing_is_told_of_a_fleet_that_never_worked(ring: Ring) -> None:
    await ring.later(60)
    assert await complete(ring) == []


async def test_told_once_when_the_last_has_ended(ring: Ring) -> None:
    one, two = await ring.spawn("1"), await ring.spawn("2")
    await end(ring, one)
    assert await complete(ring) == []
    await end(ring, two)
    await ring.later(60)
    (told,) = await complete(ring)
    assert told.project == "demo"
    assert "killed" in told.text
    assert told.data["summary"] == f"{one} killed\n{two} killed"


async def test_new_work_arms_it_again(ring: Ring) -> None:
    await end(ring, await ring.spawn("1"))
    await end(ring, await ring.spawn("2"))
    assert len(await complete(ring)) == 2


async def test_restart_tells_neither_twice_nor_never(ring: Ring) -> None:
    one = await ring.spawn()
    ring.workspace.fail_next("remove", TemporaryError("busy"))
    again = await ring.crash()
    await end(again, one)
    await again.later(60)
    after = await again.crash()
    await after.later(60)
    assert len(await complete(after)) == 1


async def test_killed_between_telling_and_keeping_that_it_was_told(ring: Ring) -> None:
    one = await ring.spawn()
    kept = ring.core.store.fleet.get(KEY)
    await end(ring, one)
    assert len(await complete(ring)) == 1
    await ring.core.store.fleet.set(KEY, kept)
    again = await ring.crash()
    await again.later(60)
    assert len(await complete(again)) == 1


async def test_session_that_only_waits_for_a_person_is_not_an_end(ring: Ring) -> None:
    one = await ring.spawn()
    ring.ask(one, "done", "all of it")
    await ring.settle()
    assert ring.status(one) == "done"
    ring.ask(one, "ask", "really?")
    await ring.settle()
    assert ring.status(one) == "waiting_input"


async def test_nothing_is_told_of_a_project_that_this_process_does_not_have(tmp_path: Path) -> None:
    ring = await open_ring(tmp_path)
    one = await ring.spawn()
    await ring.die()
    elsewhere = await open_ring(tmp_path, world=ring.world, config=CONFIG.replace("  demo:", "  other:"))
    await elsewhere.later(60)
    assert (elsewhere.fleet.all(), await complete(elsewhere)) == ((), [])
    await elsewhere.close()
    back = await open_ring(tmp_path, world=ring.world)
    assert await complete(back) == []
    await end(back, one)
    assert len(await complete(back)) == 1
    await back.close()
