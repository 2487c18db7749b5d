"""The fake tracker keeps the promise of the port."""

from __future__ import annotations

import pytest
from typing_extensions import override

from orchestrator.testing.contracts.tracker import TrackerContract
from orchestrator.testing.contracts.tracker_queue import QueueContract
from orchestrator.testing.fakes.tracker import FakeTracker


class TestFakeTracker(TrackerContract):
    @override
    @pytest.fixture
    def tracker(self) -> FakeTracker:
        return FakeTracker()


class FakePeople:
    """alice is a member; eve is not."""

    def __init__(self, tracker: FakeTracker) -> None:
        self._tracker = tracker

    def mark(self, ref: str, *, member: bool) -> None:
        """Set the label."""
        who, why = ("alice", "") if member else ("eve", "eve is no member")
        self._tracker.mark(ref, by=who, reason=why)


class TestFakeQueue(QueueContract):
    @override
    @pytest.fixture
    def tracker(self) -> FakeTracker:
        return FakeTracker()

    @override
    @pytest.fixture
    def people(self, tracker: FakeTracker) -> FakePeople:
        return FakePeople(tracker)
