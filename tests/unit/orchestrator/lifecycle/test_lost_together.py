"""Terminals that went missing together: one message, and a way back for all of them."""

from __future__ import annotations

from pathlib import Path

from orchestrator.domain.event import Level
from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import OWNER
from orchestrator.lifecycle.queue import Room
from orchestrator.services.pause import pause, unpause
from orchestrator.services.restore import restore_all
from orchestrator.services.spawn import SpawnAsk, spawn
from orchestrator.testing.fakes.keeping import FakeKeeping
from orchestrator.testing.ring import Ring, open_ring


async def fleet_of(ring: Ring, count: int) -> list[SessionId]:
    ring.room.append(Room(sessions=100, restores=100))
    made = [
        await spawn(ring.core, SpawnAsk(project="demo", issue=str(n)), by=OWNER) for n in range(1, count + 1)
    ]
    await ring.settle()
    return [session.id for session in made]


async def loud(ring: Ring) -> list[str]:
    return [e.type for e in await ring.events() if e.level is Level.URGENT]


async def test_thirty_lost_terminals_are_one_message_and_no_alarm_each(ring: Ring) -> None:
    sessions = await fleet_of(ring, 30)
    await ring.die()
    ring.runtime.vanish()
    ring.after = again = await open_ring(ring.core.home.path.parent, world=ring.world, before=ring)
    assert await loud(again) == ["fleet.lost"]
    lost = next(e for e in await again.events() if e.type == "fleet.lost")
    assert lost.data["count"] == 30
    assert "Restore all" in lost.text
    assert all(again.status(s) == "errored" and again.session(s).runtime.lost for s in sessions)
    await again.later(60)
    assert await loud(again) == ["fleet.lost"]


async def test_all_that_were_lost_can_be_restored_at_once(ring: Ring) -> None:
    sessions = await fleet_of(ring, 3)
    await ring.die()
    ring.runtime.vanish()
    ring.after = again = await open_ring(ring.core.home.path.parent, world=ring.world, before=ring)
    assert len(await restore_all(again.core, by=OWNER)) == 3
    await again.settle()
    assert {again.status(s) for s in sessions} == {"idle"}
    assert sorted(again.runtime.starts[-3:]) == sorted(sessions)


async def test_one_that_cannot_be_restored_does_not_stop_the_others(tmp_path: Path) -> None:
    disk = FakeKeeping()
    ring = await open_ring(tmp_path)
    one, two = await fleet_of(ring, 2)
    await ring.die()
    ring.runtime.vanish()
    ring.after = again = await open_ring(tmp_path, world=ring.world, before=ring, keeping=disk.over)
    disk.full.add(one)
    outcomes = {o.id: o.error for o in await restore_all(again.core, by=OWNER)}
    assert "full" in str(outcomes[one])
    assert outcomes[two] is None
    await again.settle()
    assert again.status(two) == "idle"
    await ring.close()


async def test_restore_auto_brings_them_back_a_few_a_minute(ring: Ring) -> None:
    sessions = await fleet_of(ring, 8)
    ring.rules(restore="auto")
    ring.room.append(Room(sessions=100, restores=3))
    await ring.die()
    ring.runtime.vanish()
    ring.after = again = await open_ring(ring.core.home.path.parent, world=ring.world, before=ring)
    assert sorted(again.status(s) for s in sessions) == ["idle"] * 3 + ["queued"] * 5
    assert await loud(again) == []
    await again.later(65)
    assert sorted(again.status(s) for s in sessions) == ["idle"] * 6 + ["queued"] * 2
    await again.later(65)
    assert {again.status(s) for s in sessions} == {"idle"}
    assert all(again.agent.tasks[s].resume for s in sessions)


async def test_runtime_that_does_not_outlive_us_is_restored_without_asking(ring: Ring) -> None:
    one = await ring.spawn()
    ring.runtime.survives = False
    await ring.die()
    ring.runtime.vanish()
    ring.after = again = await open_ring(ring.core.home.path.parent, world=ring.world, before=ring)
    assert (again.status(one), await loud(again)) == ("idle", [])


async def test_paused_session_whose_runtime_does_not_outlive_us_goes_on_when_released(ring: Ring) -> None:
    one = await ring.spawn()
    await pause(ring.core, one, by=OWNER)
    ring.runtime.survives = False
    await ring.die()
    ring.runtime.vanish()
    ring.after = again = await open_ring(ring.core.home.path.parent, world=ring.world, before=ring)
    await again.later(60)
    assert (again.status(one), again.runtime.starts, await loud(again)) == ("paused", [one], [])
    await unpause(again.core, one, by=OWNER)
    await again.settle()
    assert (again.status(one), again.runtime.starts) == ("idle", [one, one])


async def test_paused_sessions_are_lost_and_restored_with_all_others(ring: Ring) -> None:
    one, two = await fleet_of(ring, 2)
    await pause(ring.core, one, by=OWNER)
    await ring.die()
    ring.runtime.vanish()
    ring.after = again = await open_ring(ring.core.home.path.parent, world=ring.world, before=ring)
    lost = next(e for e in await again.events() if e.type == "fleet.lost")
    assert lost.data["count"] == 2
    assert {s.id for s in await restore_all(again.core, by=OWNER)} == {one, two}
    await again.settle()
    assert (again.status(one), again.status(two)) == ("paused", "idle")
    await unpause(again.core, one, by=OWNER)
    await again.settle()
    assert again.status(one) == "idle"


async def test_terminal_server_that_cannot_be_seen_at_the_start_has_lost_nothing(ring: Ring) -> None:
    one = await ring.spawn()
    await ring.die()
    ring.runtime.unreadable[one] = "tmux does not answer"
    ring.after = again = await open_ring(ring.core.home.path.parent, world=ring.world, before=ring)
    assert (again.status(one), await loud(again)) == ("detecting", [])


async def test_single_terminal_that_goes_is_told_after_several_looks(ring: Ring) -> None:
    one = await ring.spawn()
    ring.runtime.vanish(one)
    await ring.look()
    assert await loud(ring) == []
    await ring.later(20)
    assert (ring.status(one), await loud(ring)) == ("errored", ["session.errored"])
