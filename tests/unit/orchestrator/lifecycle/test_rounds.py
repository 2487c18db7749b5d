"""Rounds: what is looked at when, what a gap in time means."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from orchestrator.domain.activity import ActivityState
from orchestrator.domain.event import Level
from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import OWNER
from orchestrator.errors import TemporaryError
from orchestrator.lifecycle.queue import Room
from orchestrator.services.kill import kill
from orchestrator.services.spawn import SpawnAsk, spawn
from orchestrator.testing.fakes.keeping import FakeKeeping
from orchestrator.testing.ring import CONFIG, Ring, open_ring


async def fleet_of(ring: Ring, count: int) -> list[SessionId]:
    ring.room.append(Room(sessions=100, restores=100))
    made = [
        await spawn(ring.core, SpawnAsk(project="demo", issue=str(n)), by=OWNER) for n in range(1, count + 1)
    ]
    await ring.settle()
    return [session.id for session in made]


async def loud(ring: Ring) -> list[str]:
    return [e.type for e in await ring.events() if e.level is Level.URGENT]


# Looks --------------------------------------------------------------------------------------------


async def test_looks_go_out_in_batches_however_many_sessions_there_are(ring: Ring) -> None:
    await fleet_of(ring, 6)
    before = (ring.runtime.calls, ring.agent.calls, len(ring.scm.calls), len(ring.workspace.calls))
    for session in ring.fleet.all():
        ring.fleet.wake(session.id)
    await ring.rounds.round()
    after = (ring.runtime.calls, ring.agent.calls, len(ring.scm.calls), len(ring.workspace.calls))
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 1, 1, 1]


async def test_resting_session_is_looked_at_rarely_and_written_never(ring: Ring) -> None:
    one = await ring.spawn()
    await ring.later(60)
    document = ring.core.home.project(ring.session(one).project).session(one).document
    before, looks = document.stat().st_mtime_ns, ring.agent.calls
    await ring.later(60)
    assert document.stat().st_mtime_ns == before
    assert ring.agent.calls - looks <= 5


async def test_failed_look_is_no_death_and_no_news_but_a_doubt(ring: Ring) -> None:
    one = await ring.spawn()
    ring.runtime.unreadable[one] = "tmux does not answer"
    await ring.look()
    assert ring.status(one) == "detecting"
    assert ring.session(one).status.reason == "tmux does not answer"
    await ring.later(200)
    assert await loud(ring) == []
    del ring.runtime.unreadable[one]
    await ring.later(5)
    assert ring.status(one) == "idle"


async def test_doubt_is_bounded_and_then_a_person_is_asked(ring: Ring) -> None:
    one = await ring.spawn()
    ring.runtime.unreadable[one] = "tmux does not answer"
    await ring.look()
    await ring.later(330)
    assert ring.status(one) == "stuck"
    assert "tmux does not answer" in ring.session(one).status.reason
    assert await loud(ring) == ["session.stuck"]


async def test_forge_that_cannot_be_seen_changes_no_status(ring: Ring) -> None:
    one = await ring.spawn()
    await ring.pull_request(one)
    await ring.checks(one, passed=True)
    before = ring.status(one)
    ring.scm.fail_next("observe", TemporaryError("502"))
    await ring.look()
    change = ring.session(one).change
    assert change is not None
    assert (ring.status(one), change.unseen) == (before, "502")
    await ring.later(5)
    change = ring.session(one).change
    assert change is not None
    assert change.unseen == ""


async def test_two_projects_share_one_process(tmp_path: Path) -> None:
    entry = CONFIG[CONFIG.index("  demo:") :].replace("demo", "other")
    ring = await open_ring(tmp_path, config=CONFIG + entry)
    ring.tracker.issues["other", "1"] = ring.tracker.issues["demo", "1"]
    one = await ring.spawn("1")
    made = await spawn(ring.core, SpawnAsk(project="other", issue="1"), by=OWNER)
    await ring.settle()
    assert made.id == "other-1"
    for session in (one, made.id):
        ring.agent.says(session, ActivityState.BUSY)
    await ring.later(20)
    assert {ring.status(one), ring.status(made.id)} == {"working"}
    await ring.close()


# Gaps in time -------------------------------------------------------------------------------------


async def test_suspend_makes_nobody_stuck(ring: Ring) -> None:
    one = await ring.spawn()
    ring.agent.says(one, ActivityState.BUSY)
    await ring.look()
    ring.clock.jump(8 * 3600)
    await ring.settle()
    assert ring.status(one) == "working"
    await ring.later(300)
    assert ring.status(one) == "working"
    await ring.later(330)
    assert ring.status(one) == "stuck"


async def test_suspend_ends_no_doubt_as_a_death(ring: Ring) -> None:
    one = await ring.spawn()
    ring.runtime.unreadable[one] = "tmux does not answer"
    await ring.look()
    ring.clock.jump(8 * 3600)
    await ring.settle()
    assert ring.status(one) == "detecting"


async def test_clock_that_steps_back_stops_nothing(ring: Ring) -> None:
    one = await ring.spawn()
    ring.workspace.fail_next("observe", TemporaryError("x"))
    ring.clock.jump(-24 * 3600)
    await ring.settle()
    two = await ring.spawn("2")
    ring.agent.says(one, ActivityState.BUSY)
    await ring.later(20)
    assert (ring.status(one), ring.status(two)) == ("working", "idle")
    ring.agent.says(one, ActivityState.BUSY)
    await ring.later(700)
    assert ring.status(one) == "stuck"


async def test_start_after_a_long_time_makes_nobody_stuck(ring: Ring) -> None:
    one = await ring.spawn()
    ring.agent.says(one, ActivityState.BUSY)
    await ring.look()
    await ring.die()
    ring.clock.advance(8 * 3600)
    ring.after = again = await open_ring(ring.core.home.path.parent, world=ring.world, before=ring)
    assert again.status(one) == "working"
    assert await loud(again) == []


async def stuck(ring: Ring) -> SessionId:
    one = await ring.spawn()
    ring.agent.says(one, ActivityState.BUSY)
    await ring.look()
    await ring.later(660, step=30)
    assert ring.status(one) == "stuck"
    return one


async def test_stuck_agent_is_stuck_after_a_crash_too_and_nobody_is_called_twice(ring: Ring) -> None:
    one = await stuck(ring)
    since = ring.session(one).status.since
    await ring.die()
    ring.clock.advance(90)
    ring.after = again = await open_ring(ring.core.home.path.parent, world=ring.world, before=ring)
    await again.later(60)
    assert (again.status(one), again.session(one).status.since) == ("stuck", since)
    ring.clock.jump(8 * 3600)
    await again.later(30)
    assert (again.status(one), await loud(again)) == ("stuck", ["session.stuck"])
    ring.agent.says(one, ActivityState.BUSY)
    await again.look()
    assert again.status(one) == "working"


async def test_stuck_agent_is_stuck_after_its_terminal_could_not_be_seen(ring: Ring) -> None:
    one = await stuck(ring)
    ring.runtime.unreadable[one] = "tmux does not answer"
    await ring.later(20)
    assert ring.status(one) == "detecting"
    del ring.runtime.unreadable[one]
    await ring.later(5)
    assert ring.status(one) == "stuck"
    known = ring.agent.looks[one]
    ring.agent.looks[one] = replace(known, activity=replace(known.activity, state=ActivityState.UNKNOWN))
    await ring.look()
    ring.agent.looks[one] = known
    await ring.later(5)
    assert ring.status(one) == "stuck"


# Room ---------------------------------------------------------------------------------------------


async def test_spawn_above_the_limit_waits_visibly_and_in_order(ring: Ring) -> None:
    ring.room.append(Room(sessions=1))
    one, two, three = [await ring.spawn(str(n)) for n in (1, 2, 3)]
    assert [ring.status(s) for s in (one, two, three)] == ["idle", "queued", "queued"]
    assert "1 of 1 sessions run; number 2 in line" in ring.session(three).status.reason
    await kill(ring.core, one, by=OWNER)
    await ring.settle()
    assert [ring.status(s) for s in (two, three)] == ["idle", "queued"]


# One that cannot be changed ------------------------------------------------------------------------


async def test_waiting_session_that_cannot_be_kept_stops_no_look_at_the_others(tmp_path: Path) -> None:
    disk = FakeKeeping()
    ring = await open_ring(tmp_path, keeping=disk.over)
    ring.room.append(Room(sessions=2))
    one, three = await ring.spawn("1"), await ring.spawn("2")
    two = await ring.spawn("3")
    disk.full.add(two)
    ring.room.append(Room(sessions=1))
    ring.agent.says(one, ActivityState.BUSY)
    await ring.look()
    assert [ring.status(s) for s in (one, three, two)] == ["working", "idle", "queued"]
    ring.room.append(Room(sessions=3))
    await ring.look()
    assert ring.status(two) == "queued"
    disk.full.clear()
    await ring.later(5)
    assert ring.status(two) == "idle"
    await ring.close()


async def test_session_that_cannot_be_kept_refuses_no_start_and_no_waking_up(tmp_path: Path) -> None:
    disk = FakeKeeping()
    ring = await open_ring(tmp_path)
    one, two = await fleet_of(ring, 2)
    ring.runtime.unreadable[one] = "tmux does not answer"
    await ring.look()
    ring.clock.advance(5)
    disk.full.add(one)
    again = await ring.crash(disk.over)
    ring.agent.says(two, ActivityState.BUSY)
    await again.look()
    assert [again.status(s) for s in (one, two)] == ["detecting", "working"]
    ring.clock.jump(8 * 3600)
    await again.settle()
    assert [again.status(s) for s in (one, two)] == ["detecting", "working"]
    await ring.close()


async def test_what_is_lost_and_cannot_be_kept_is_found_again_later(tmp_path: Path) -> None:
    disk = FakeKeeping()
    ring = await open_ring(tmp_path)
    one, two = await fleet_of(ring, 2)
    await ring.die()
    ring.runtime.vanish()
    disk.full.add(one)
    ring.after = again = await open_ring(tmp_path, world=ring.world, before=ring, keeping=disk.over)
    assert (again.status(one), again.status(two)) == ("idle", "errored")
    disk.full.clear()
    await again.later(20)
    assert again.status(one) == "errored"
    await ring.close()
