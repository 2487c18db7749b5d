"""A place that shares no path with this host keeps the promise of the port."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typing_extensions import override

from orchestrator.ports.place import Place, SharesHost
from orchestrator.testing.contracts.place import RunningContract
from orchestrator.testing.places import BubblewrapPlace, unavailable
from plugins._shared.host_place import HostPlace


@pytest.mark.git
@pytest.mark.skipif(bool(unavailable()), reason=unavailable())
class TestBubblewrapPlace(RunningContract):
    @override
    @pytest.fixture
    def place(self, tmp_path: Path) -> BubblewrapPlace:
        return BubblewrapPlace(tmp_path / "near" / "session", tmp_path / "near" / "work", {})

    @override
    @pytest.fixture
    def far(self, place: Place, tmp_path: Path) -> Place:
        (tmp_path / "far").mkdir()
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "far")}
        return HostPlace(tmp_path / "far", tmp_path / "far", environment)

    def test_it_shares_no_path_with_this_host(self, place: Place) -> None:
        assert not isinstance(place, SharesHost)
        assert not Path(place.folder).exists()
        assert not Path(place.workspaces).exists()

    async def test_the_hosts_files_are_not_there(self, place: Place, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("secret")
        assert not (await place.run(["cat", str(tmp_path / "secret")])).ok
        assert (await place.run(["sh", "-c", "ls -d /root/* /home/* /work 2>/dev/null"])).stdout == b""
