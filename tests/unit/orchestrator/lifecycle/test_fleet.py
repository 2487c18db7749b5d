"""The one way to change a session: locked, kept before it counts, and followed by acts."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path

import pytest
from typing_extensions import override

from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import OWNER
from orchestrator.domain.session import Session
from orchestrator.domain.status import Status
from orchestrator.errors import BadInput, NotFound, TemporaryError
from orchestrator.lifecycle.backoff import UNFORESEEN
from orchestrator.lifecycle.draft import Draft
from orchestrator.lifecycle.fleet import PARALLEL_ACTS, Keeping
from orchestrator.lifecycle.queue import Room
from orchestrator.services import ended
from orchestrator.services.hold import hold
from orchestrator.services.kill import kill
from orchestrator.services.merge import merge
from orchestrator.services.spawn import SpawnAsk, spawn
from orchestrator.testing.fakes.keeping import FakeKeeping
from orchestrator.testing.ring import Ring, open_ring

WRONG = BadInput("no")
FULL = TemporaryError("the disk is full")
DEFECT = ZeroDivisionError("a defect")


async def test_change_that_raises_leaves_the_session_as_it_was(ring: Ring) -> None:
    one = await ring.spawn()
    before, told = ring.session(one), await ring.told()

    def wrong(draft: Draft) -> None:
        draft.tell("never", "never")
        draft.set(branch="other")
        raise WRONG

    with pytest.raises(BadInput):
        await ring.fleet.change(one, wrong)
    assert (ring.session(one), await ring.told()) == (before, told)


async def test_changes_of_one_session_wait_for_each_other(ring: Ring) -> None:
    one = await ring.spawn()
    before = ring.session(one).message_serial
    await asyncio.gather(
        *(
            ring.fleet.change(one, lambda d: d.set(message_serial=d.session.message_serial + 1))
            for _ in range(20)
        )
    )
    assert ring.session(one).message_serial == before + 20


async def test_change_of_what_is_not_there_is_not_found(ring: Ring) -> None:
    with pytest.raises(NotFound):
        await ring.fleet.change(SessionId("demo-9"), lambda d: None)
    ring.fleet.wake_by_name("demo-9")
    assert ring.fleet.take_woken() == set()


async def test_disk_that_refuses_changes_nothing_and_the_act_is_tried_again(ring: Ring) -> None:
    one = await ring.spawn()
    keeper = ring.core.store.keeper
    real = keeper.keep

    async def full(session: Session) -> Session:
        raise FULL

    keeper.keep = full  # type: ignore[assignment, method-assign]
    with pytest.raises(TemporaryError):
        await kill(ring.core, one, by=OWNER)
    assert ring.status(one) == "idle"
    await ring.rounds.round()
    keeper.keep = real  # type: ignore[method-assign]
    await kill(ring.core, one, by=OWNER)
    await ring.later(20)
    assert one not in {s.id for s in ring.fleet.all()}


async def cancelled_hold(ring: Ring, disk: FakeKeeping, one: SessionId) -> asyncio.Event:
    """A hold whose caller is cancelled while it is kept; returns the gate at which it waits."""
    gate = disk.gates["keep"] = asyncio.Event()
    asked = asyncio.create_task(hold(ring.core, one, by=OWNER))
    await disk.waits.wait()
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    return gate


async def test_change_whose_caller_is_cancelled_is_carried_through_in_memory_too(tmp_path: Path) -> None:
    disk = FakeKeeping()
    ring = await open_ring(tmp_path, keeping=disk.over)
    one = await ring.spawn()
    (await cancelled_hold(ring, disk, one)).set()
    await kill(ring.core, one, by=OWNER)
    assert ring.session(one).hold == OWNER
    events = await ring.events(one)
    assert [e.id for e in events] == [f"{one}:{n}" for n in range(1, len(events) + 1)]
    assert [e.type for e in events][-3:] == ["merge.held", "session.kill_asked", "session.killed"]
    await ring.close()


async def test_stop_returns_when_what_was_begun_is_kept(tmp_path: Path) -> None:
    disk = FakeKeeping()
    ring = await open_ring(tmp_path, keeping=disk.over)
    one = await ring.spawn()
    gate = await cancelled_hold(ring, disk, one)
    stopping = asyncio.create_task(ring.fleet.stop())
    asyncio.get_running_loop().call_later(0.05, gate.set)
    await stopping
    assert (gate.is_set(), ring.session(one).hold) == (True, OWNER)
    await ring.close()


async def test_change_that_comes_while_its_session_is_put_away_makes_it_live_no_more(tmp_path: Path) -> None:
    disk = FakeKeeping()
    ring = await open_ring(tmp_path, keeping=disk.over)
    one = await ring.spawn()
    gate = disk.gates["end"] = asyncio.Event()
    await kill(ring.core, one, by=OWNER)
    settling = asyncio.create_task(ring.settle())
    await disk.waits.wait()
    held = asyncio.create_task(hold(ring.core, one, by=OWNER))
    asyncio.get_running_loop().call_later(0.05, gate.set)
    with pytest.raises(NotFound):
        await held
    await settling
    again = await ring.crash()
    assert (again.fleet.all(), (await ended.one(again.core, one)).id) == ((), one)
    await ring.close()


async def test_unforeseen_error_is_tried_some_times_then_refused(ring: Ring) -> None:
    made = await spawn(ring.core, SpawnAsk(project="demo", issue="1"), by=OWNER)

    async def broken(*_args: object, **_more: object) -> object:
        raise DEFECT

    ring.workspace.create = broken  # type: ignore[assignment, method-assign]
    await ring.settle()
    assert "tried again soon" in ring.session(made.id).setup.reason
    await ring.later(60, step=1)
    kept = ring.session(made.id)
    assert kept.status.status.value == "errored"
    assert "ZeroDivisionError: a defect" in kept.status.reason
    assert UNFORESEEN > 1


async def test_full_disk_below_a_plugin_passes_and_gives_nothing_up(ring: Ring) -> None:
    made = await spawn(ring.core, SpawnAsk(project="demo", issue="1"), by=OWNER)
    real = ring.workspace.create

    async def full(*_args: object, **_more: object) -> object:
        raise OSError(errno.ENOSPC, "No space left on device", "/kept/x")

    ring.workspace.create = full  # type: ignore[assignment, method-assign]
    await ring.settle()
    await ring.later(600, step=30)
    reason = ring.session(made.id).setup.reason
    assert "No space left on device (/kept/x)" in reason
    assert "once there is room" in reason
    ring.workspace.create = real  # type: ignore[method-assign]
    await ring.later(200, step=30)
    assert ring.status(made.id) == "idle"


async def test_acts_of_several_sessions_run_beside_each_other_within_bounds(ring: Ring) -> None:
    ring.room.append(Room(sessions=100))
    gate = ring.workspace.gates["create"] = asyncio.Event()
    for number in range(1, PARALLEL_ACTS + 6):
        await spawn(ring.core, SpawnAsk(project="demo", issue=str(number)), by=OWNER)
    await ring.rounds.round()
    for _ in range(400):
        if ring.workspace.calls.count("create") == PARALLEL_ACTS:
            break
        await asyncio.sleep(0.005)
    await asyncio.sleep(0)
    assert ring.workspace.calls.count("create") == PARALLEL_ACTS
    gate.set()
    await ring.settle()
    assert {s.status.status.value for s in ring.fleet.all()} == {"idle"}


async def test_acts_of_one_session_run_one_after_the_other(ring: Ring) -> None:
    one = await ring.spawn()
    running, most = 0, 0
    real = ring.fleet._performer.perform

    async def counted(fleet, session, act):  # type: ignore[no-untyped-def]
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        await real(fleet, session, act)
        running -= 1

    ring.fleet._performer.perform = counted  # type: ignore[method-assign]
    for number in range(5):
        await ring.fleet.change(one, lambda d, n=number: d.enqueue(f"m{n}", by="ada"))  # type: ignore[misc]
    await kill(ring.core, one, by=OWNER)
    await ring.settle()
    assert most == 1


async def test_sessions_are_listed_in_the_order_of_their_making(ring: Ring) -> None:
    for number in (3, 1, 2):
        await ring.spawn(str(number))
        ring.clock.advance(1)
    assert [s.task.issue for s in ring.fleet.live()] == ["3", "1", "2"]


async def test_what_was_tried_survives_a_restart_and_is_not_sent_twice(ring: Ring) -> None:
    one = await ring.spawn()
    await ring.pull_request(one)
    await ring.checks(one, passed=False, tail="E")
    before = ring.session(one)
    again = await ring.crash()
    await again.later(60)
    after = again.session(one)
    assert (after.attempts, len(after.messages)) == (before.attempts, 1)
    for text in ("2", "3"):
        again = await again.crash()
        await again.pull_request(one, text=text)
        await again.checks(one, passed=False, tail="E")
    assert (await again.told(one)).count("reaction.escalated") == 1
    assert len(again.session(one).messages) == 2


# The whole story, and death between any two writes --------------------------------------------------


async def all_sessions(ring: Ring) -> list[Session]:
    return [*ring.fleet.all(), *await ended.listed(ring.core)]


async def story(ring: Ring) -> None:
    """Issue 1 from spawn to merge. Each step looks first whether it has happened already."""
    if not await all_sessions(ring):
        await ring.spawn()
    if not ring.fleet.all():
        return
    one = ring.fleet.all()[0].id
    await ring.later(5)
    if ring.fleet.get(one).change is None:
        await ring.pull_request(one, text="wrong")
    if "ci.failing" not in await ring.told(one):
        await ring.checks(one, passed=False, tail="E assert 1 == 2")
    if "ci.passing" not in await ring.told(one):
        await ring.later(60)
        await ring.pull_request(one, text="right")
        await ring.checks(one, passed=True)
    session = ring.fleet.get(one)
    if session.change is not None and session.status.status is Status.MERGEABLE:
        await merge(ring.core, one, head=session.change.pr.head, by=OWNER)
    await ring.later(120)


class DyingKeeper(Keeping):
    """Keeps so many sessions and then ends the process, before or after the write."""

    def __init__(self, keeper: Keeping, count: int, *, after: bool) -> None:
        self._keeper = keeper
        self._left = count
        self._after = after
        self.died = asyncio.Event()
        self.buried = asyncio.Event()
        """What waits since then is refused: nothing is written, and who stops need not wait for it."""

    @override
    async def keep(self, session: Session) -> Session:
        self._left -= 1
        if self._left < 0 and not self._after:
            await self._die()
        kept = await self._keeper.keep(session)
        if self._left < 0:
            await self._die()
        return kept

    @override
    async def restore(self, session: Session) -> Session:
        return await self._keeper.restore(session)

    @override
    async def end(self, session: Session) -> None:
        self._left -= 1
        if self._left < 0 and not self._after:
            await self._die()
        await self._keeper.end(session)
        if self._left < 0:
            await self._die()

    @override
    async def retry(self) -> None:
        await self._keeper.retry()

    async def _die(self) -> None:
        self.died.set()
        await self.buried.wait()
        raise FULL


async def play_to_the_end(ring: Ring) -> None:
    await story(ring)
    assert ring.fleet.all() == ()


async def check_the_end(ring: Ring) -> None:
    (one,) = await all_sessions(ring)
    assert one.status.status is Status.MERGED
    events = await ring.events(one.id)
    assert [e.id for e in events] == [f"{one.id}:{n}" for n in range(1, len(events) + 1)], (
        "none lost or doubled"
    )
    types = [e.type for e in events]
    for once in ("session.spawned", "pr.opened", "ci.failing", "pr.merged", "session.ended"):
        assert types.count(once) == 1, (once, types)
    assert len(ring.scm.forge.merges) == 1
    assert (ring.runtime.terminals, ring.workspace.trees) == ({}, {})
    assert sum("CI failed" in m.text for m in one.messages) == 1


async def test_story_from_spawn_to_merge(ring: Ring) -> None:
    ring.rules(approvals=0)
    await play_to_the_end(ring)
    await check_the_end(ring)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("count", range(0, 40, 3))
async def test_death_at_any_write_loses_and_doubles_nothing(ring: Ring, count: int, after: bool) -> None:
    ring.rules(approvals=0)
    keepers: list[DyingKeeper] = []

    def dying(keeper: Keeping) -> Keeping:
        keepers.append(DyingKeeper(keeper, count, after=after))
        return keepers[-1]

    await ring.die()
    root = ring.core.home.path.parent
    first = await open_ring(root, world=ring.world, before=ring, keeping=dying)
    playing = asyncio.create_task(play_to_the_end(first))
    died = asyncio.create_task(keepers[0].died.wait())
    await asyncio.wait([playing, died], return_when=asyncio.FIRST_COMPLETED)
    if playing.done():
        died.cancel()
        await playing
        ring.after = first
    else:
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
        keepers[0].buried.set()
        ring.after = await first.crash()
        await play_to_the_end(ring.after)
    await check_the_end(ring.after)
