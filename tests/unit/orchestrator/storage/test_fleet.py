"""What is kept of the fleet as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.errors import NotReady, TemporaryError
from orchestrator.storage.faults import Faults, NoFaults
from orchestrator.storage.fleet import FleetStore
from orchestrator.storage.layout import Home
from tests.unit.orchestrator.storage.boundaries import DiskFull


async def opened(home: Home, faults: Faults | None = None) -> FleetStore:
    made = FleetStore(home, faults or NoFaults())
    assert await made.open() == ()
    return made


async def test_values_outlive_a_restart(tmp_path: Path) -> None:
    fleet = await opened(Home(tmp_path))
    assert fleet.get("muted", []) == []
    await fleet.set("muted", ["demo"])
    await fleet.set("paused", value=True)
    await fleet.set("paused", None)
    await fleet.close()
    again = await opened(Home(tmp_path))
    assert again.get("muted") == ["demo"]
    assert again.get("paused") is None
    await again.close()


async def test_a_full_disk_leaves_the_old_value(tmp_path: Path) -> None:
    full = DiskFull("document.written")
    full.on = False
    fleet = await opened(Home(tmp_path), full)
    await fleet.set("a", 1)
    full.on = True
    with pytest.raises(TemporaryError):
        await fleet.set("a", 2)
    assert fleet.get("a") == 1
    await fleet.close()


@pytest.mark.parametrize(
    "content", ["{", '{"_default":{"1":{"v":1}}}', '{"_default":{"1":{"values":{}}}}', '{"_default":{}}']
)
async def test_a_damaged_file_is_set_aside(tmp_path: Path, content: str) -> None:
    home = Home(tmp_path)
    home.fleet.write_text(content)
    fleet = FleetStore(home, NoFaults())
    (damaged,) = await fleet.open()
    assert damaged.kept_as is not None
    assert damaged.kept_as.read_text() == content
    await fleet.set("a", 1)
    await fleet.close()


async def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.fleet.write_text('{"_default":{"1":{"v":2,"values":{}}}}')
    with pytest.raises(NotReady):
        await FleetStore(home, NoFaults()).open()
    assert home.fleet.exists()
