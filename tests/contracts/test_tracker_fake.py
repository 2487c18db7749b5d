"""The fake tracker keeps the promise of the port."""

from __future__ import annotations

import pytest
from typing_extensions import override

from orchestrator.testing.contracts.tracker import TrackerContract
from orchestrator.testing.fakes.tracker import FakeTracker


class TestFakeTracker(TrackerContract):
    @override
    @pytest.fixture
    def tracker(self) -> FakeTracker:
        return FakeTracker()
