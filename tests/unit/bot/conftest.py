"""A house for the bot's tests, opened and closed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from orchestrator.lifecycle.fleet import Fleet
from orchestrator.ports.plugin import PluginContext
from orchestrator.registry import Registry
from orchestrator.services.core import Core
from orchestrator.services.settings_now import SettingsNow
from orchestrator.storage.faults import NoFaults
from orchestrator.storage.layout import Home
from orchestrator.storage.store import Store
from orchestrator.testing.fakes.clock import FakeClock
from tests.unit.bot.house import Configured, House, StillFleet


@pytest.fixture
def configured(tmp_path: Path) -> Configured:
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
async def house(configured: Configured) -> AsyncIterator[House]:
    home, settings, registry = configured
    clock = FakeClock()
    store = await Store.open(home, NoFaults())
    settings.use_people(store.people)
    fleet = StillFleet(store, clock)
    core = Core(
        home=home, fleet=cast("Fleet", fleet), settings=settings, registry=registry, store=store, clock=clock
    )
    try:
        yield House(core, fleet)
    finally:
        await fleet.world.files.close()
        await store.close()
