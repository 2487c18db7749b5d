"""A place on this host keeps the promise of the port."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typing_extensions import override

from orchestrator.ports.place import Place, SharesHost
from orchestrator.testing.contracts.place import RunningContract
from plugins._shared.host_place import HostPlace


@pytest.mark.git
class TestHostPlace(RunningContract):
    @override
    @pytest.fixture
    def place(self, tmp_path: Path) -> HostPlace:
        return _place(tmp_path / "near")

    @override
    @pytest.fixture
    def far(self, place: Place, tmp_path: Path) -> Place:
        return _place(tmp_path / "far")

    def test_its_paths_are_the_hosts(self, place: Place) -> None:
        assert isinstance(place, SharesHost)
        assert place.shares_host


def _place(root: Path) -> HostPlace:
    (root / "session").mkdir(parents=True)
    (root / "work").mkdir()
    return HostPlace(root / "session", root / "work", {"PATH": os.environ["PATH"], "HOME": str(root)})
