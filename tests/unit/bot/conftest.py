"""A house for the bot's tests: real storage, real settings, sessions that change, and no ring."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from bot.actions.runner import Actions
from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.session import Session
from orchestrator.errors import NotFound
from orchestrator.lifecycle.draft import Draft
from orchestrator.lifecycle.fleet import Fleet
from orchestrator.ports.plugin import PluginContext
from orchestrator.registry import Registry
from orchestrator.services.core import Core
from orchestrator.services.settings_now import SettingsNow
from orchestrator.storage.faults import NoFaults
from orchestrator.storage.lanes import Lanes
from orchestrator.storage.layout import Home
from orchestrator.storage.store import Store
from orchestrator.testing.fakes.clock import FakeClock


class Threads:
    """What of the world services need here: threads for files."""

    def __init__(self) -> None:
        self.files = Lanes(1, "test-files")


class StillFleet:
    """Sessions that only services change: nothing looks, decides or acts."""

    def __init__(self, store: Store, clock: FakeClock) -> None:
        self.world = Threads()
        self._store = store
        self._clock = clock
        self.sessions: dict[SessionId, Session] = {}
        self.gate: asyncio.Event | None = None
        """Changes wait for it, where a test wants one to take its time."""

    def put(self, session: Session) -> None:
        self.sessions[session.id] = session

    def live(self, project: ProjectId | None = None) -> tuple[Session, ...]:
        return tuple(s for s in self.sessions.values() if project in (None, s.project))

    all = live

    def get(self, session: SessionId) -> Session:
        if session not in self.sessions:
            msg = f"there is no running session {session}."
            raise NotFound(msg)
        return self.sessions[session]

    async def change(self, session: SessionId, how: Callable[[Draft], object]) -> Session:
        if self.gate is not None:
            await self.gate.wait()
        draft = Draft(self.get(session), self._clock.now())
        how(draft)
        kept = await self._store.keeper.keep(replace(draft.session, outbox=tuple(draft.events)))
        self.sessions[session] = kept
        return kept

    def wake(self, session: SessionId | None = None) -> None:
        del session


class TestHouse:
    """A core and its verbs."""

    __test__ = False

    def __init__(self, core: Core, fleet: StillFleet) -> None:
        self.core = core
        self.fleet = fleet
        self.actions = Actions(core)


@pytest.fixture
def configured(tmp_path: Path) -> tuple[Home, SettingsNow, Registry]:
    """A home and a configuration with one project, `demo`."""
    repository = tmp_path / "repository"
    repository.mkdir()
    config = tmp_path / "agent-orchestrator.yaml"
    config.write_text(f"projects:\n  demo:\n    path: {repository}\n    agent: rehearsal\n")
    home = Home(tmp_path / "home")
    home.prepare()
    registry = Registry({}, PluginContext(home=home.path, data=str))
    settings = SettingsNow(config, {"AO_HOME": str(home.path), "HOME": str(tmp_path)}, registry)
    settings.take(settings.look().require())
    return home, settings, registry


@pytest.fixture
async def house(configured: tuple[Home, SettingsNow, Registry]) -> AsyncIterator[TestHouse]:
    home, settings, registry = configured
    clock = FakeClock()
    store = await Store.open(home, NoFaults())
    fleet = StillFleet(store, clock)
    core = Core(
        home=home, fleet=cast("Fleet", fleet), settings=settings, registry=registry, store=store, clock=clock
    )
    try:
        yield TestHouse(core, fleet)
    finally:
        await fleet.world.files.close()
        await store.close()
