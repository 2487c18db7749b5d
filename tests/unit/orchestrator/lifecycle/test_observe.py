"""Looks at what is not as it should be: plugins that hang, raise or forget, places that cannot be had."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest
from typing_extensions import override

from orchestrator.domain.activity import ActivityState
from orchestrator.domain.event import Level
from orchestrator.domain.ids import SessionId
from orchestrator.domain.look import Look
from orchestrator.domain.person import OWNER
from orchestrator.domain.pull_request import PullRequest
from orchestrator.errors import TemporaryError
from orchestrator.lifecycle import observe
from orchestrator.lifecycle.queue import Room
from orchestrator.ports.place import Place
from orchestrator.ports.plugin import Plugin
from orchestrator.ports.runtime import RuntimeLook
from orchestrator.ports.scm import SCM
from orchestrator.ports.session_ref import SessionRef
from orchestrator.registry import Registry
from orchestrator.services.spawn import SpawnAsk, spawn
from orchestrator.storage.layout import Home
from orchestrator.testing.fakes.runtime import FakeRuntime
from orchestrator.testing.fakes.scm import FakeScm
from orchestrator.testing.ring import CONFIG, FakeWorld, Ring, open_ring


async def fleet_of(ring: Ring, count: int) -> list[SessionId]:
    ring.room.append(Room(sessions=100, restores=100))
    made = [
        await spawn(ring.core, SpawnAsk(project="demo", issue=str(n)), by=OWNER) for n in range(1, count + 1)
    ]
    await ring.settle()
    return [session.id for session in made]


async def loud(ring: Ring) -> list[str]:
    return [e.type for e in await ring.events() if e.level is Level.URGENT]


class StoppedRuntime(FakeRuntime):
    """A terminal server that can be stopped: it takes calls and never answers."""

    stopped = False

    @override
    async def observe(
        self, sessions: Collection[SessionRef], screens: Collection[SessionId] = ()
    ) -> Mapping[SessionId, Look[RuntimeLook]]:
        if self.stopped:
            await asyncio.Event().wait()
        return await super().observe(sessions, screens)


async def test_batch_that_hangs_is_a_failed_look_and_storage_and_services_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observe, "LIMIT", 0.05)
    world = FakeWorld()
    world.runtime = runtime = StoppedRuntime(world.agent.program)
    ring = await open_ring(tmp_path, world=world)
    one = await ring.spawn("1")
    runtime.stopped = True
    await ring.look()
    assert ring.status(one) == "detecting"
    assert "no answer within" in ring.session(one).status.reason
    ring.tracker.unreadable.clear()
    two = await ring.spawn("2")
    assert ring.session(two).event_serial > 0
    runtime.stopped = False
    await ring.look()
    assert (ring.status(one), await loud(ring)) == ("idle", [])
    await ring.close()


async def test_plugin_that_raises_spoils_its_own_looks_only(ring: Ring) -> None:
    one = await ring.spawn()

    async def broken(*_args: object) -> dict[SessionId, Look[None]]:
        msg = "a defect"
        raise ZeroDivisionError(msg)

    ring.scm.observe = broken  # type: ignore[assignment, method-assign]
    ring.agent.says(one, ActivityState.BUSY)
    await ring.look()
    assert ring.status(one) == "working"


class BrokenPlaces(FakeRuntime):
    """The place of one session cannot be had: it raises, or never answers."""

    broken: SessionId | None = None
    hangs = False

    @override
    async def place(self, session: SessionRef) -> Place:
        if session.id != self.broken:
            return await super().place(session)
        if self.hangs:
            await asyncio.Event().wait()
        msg = "its folder is gone"
        raise TemporaryError(msg)


@pytest.mark.parametrize("hangs", [False, True])
async def test_place_that_cannot_be_had_is_a_failed_look_at_its_own_session_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hangs: bool
) -> None:
    monkeypatch.setattr(observe, "LIMIT", 0.2)
    world = FakeWorld()
    world.runtime = runtime = BrokenPlaces(world.agent.program)
    ring = await open_ring(tmp_path, world=world)
    one, two = await fleet_of(ring, 2)
    runtime.broken, runtime.hangs = one, hangs
    ring.fleet.world.forget(one)

    async def both_work() -> list[str]:
        for session in (one, two):
            ring.agent.says(session, ActivityState.BUSY)
            ring.fleet.wake(session)
        await ring.rounds.round()
        return [ring.status(one), ring.status(two)]

    assert await both_work() == ["idle", "working"]
    runtime.broken = None
    assert await both_work() == ["working", "working"]
    await ring.close()


class MeetingForge(FakeScm):
    """Answers only once the other one is asked too."""

    def __init__(self) -> None:
        super().__init__()
        self.meet: asyncio.Barrier | None = None
        self.met = 0

    @override
    async def observe(self, sessions: Collection[SessionRef]) -> Mapping[SessionId, Look[PullRequest | None]]:
        if self.meet is not None:
            await self.meet.wait()
            self.met += 1
        return await super().observe(sessions)


class TwoForges(FakeWorld):
    """A second forge, for a second project."""

    def __init__(self) -> None:
        super().__init__()
        self.forges = MeetingForge(), MeetingForge()
        self.scm = self.forges[0]

    @override
    def registry(self, home: Home) -> Registry:
        registry = super().registry(home)
        second = Plugin(slot=SCM, name="second", summary="for tests", create=lambda _o, _c: self.forges[1])
        registry.add(second, "the test")
        return registry


async def test_forge_that_is_slow_holds_up_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = CONFIG[CONFIG.index("  demo:") :].replace("demo", "other")
    entry = entry.replace("scm: {{plugin: fake}}", "scm: {{plugin: second}}")
    world = TwoForges()
    ring = await open_ring(tmp_path, world=world, config=CONFIG + entry)
    ring.tracker.issues["other", "1"] = ring.tracker.issues["demo", "1"]
    await ring.spawn("1")
    await spawn(ring.core, SpawnAsk(project="other", issue="1"), by=OWNER)
    await ring.settle()
    monkeypatch.setattr(observe, "LIMIT", 0.5)
    world.forges[0].meet = world.forges[1].meet = asyncio.Barrier(2)
    await ring.look()
    assert [forge.met for forge in world.forges] == [1, 1]
    await ring.close()


async def test_look_that_answers_for_some_is_a_failed_look_for_the_others(ring: Ring) -> None:
    one, two = await fleet_of(ring, 2)
    real = ring.runtime.observe

    async def forgetful(sessions: Collection[SessionRef], screens: Collection[SessionId] = ()) -> object:
        return {k: v for k, v in (await real(sessions, screens)).items() if k != two}

    ring.runtime.observe = forgetful  # type: ignore[assignment, method-assign]
    await ring.look()
    assert (ring.status(one), ring.status(two)) == ("idle", "detecting")
