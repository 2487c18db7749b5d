"""Issues in files keep the promise of the tracker port."""

from __future__ import annotations

from pathlib import Path

import pytest
from typing_extensions import override

from orchestrator.ports.plugin import PluginContext
from orchestrator.ports.tracker import Tracker
from orchestrator.testing.contracts.tracker import TrackerContract
from plugins.tracker.local import PLUGIN


class TestLocalTracker(TrackerContract):
    @override
    @pytest.fixture
    def tracker(self, tmp_path: Path) -> Tracker:
        return PLUGIN.create(PLUGIN.options(), PluginContext(home=tmp_path, data=str))
