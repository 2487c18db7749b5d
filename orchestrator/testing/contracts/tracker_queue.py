"""What a tracker must do in which a label hands issues to agents. Subclass `QueueContract` besides `TrackerContract`."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pytest

from orchestrator.domain.issue import IssueState
from orchestrator.domain.project import Project
from orchestrator.ports.tracker import IssueChange, Queue, Queued, Tracker
from orchestrator.testing.contracts.tracker import TrackerContract


class Marks(Protocol):
    """What people do in a tracker whose label is the queue."""

    def mark(self, ref: str, *, member: bool) -> None:
        """Hand an issue to an agent, as somebody who may, or as somebody who may not."""


class QueueContract:
    """The promise of `orchestrator.ports.tracker.Queue`: give `tracker`, and say how people mark issues there."""

    @pytest.fixture
    def tracker(self) -> Tracker:
        """A tracker without issues, which is a `Queue`."""
        raise NotImplementedError

    @pytest.fixture
    def project(self, tmp_path: Path) -> Project:
        """A project whose issues the tracker has."""
        return TrackerContract.a_project(tmp_path)

    @pytest.fixture
    def people(self) -> Marks:
        """What people do in the tracker."""
        raise NotImplementedError

    async def test_nothing_waits_that_nobody_marked(self, tracker: Tracker, project: Project) -> None:
        await tracker.create(project, "One", "")
        assert await _waiting(tracker, project) == []

    async def test_a_members_mark_waits_until_the_issue_is_taken_up(
        self, tracker: Tracker, project: Project, people: Marks
    ) -> None:
        made = await tracker.create(project, "One", "")
        people.mark(made.ref, member=True)
        (one,) = await _waiting(tracker, project)
        assert (one.issue.ref, one.member, one.reason) == (made.ref, True, "")
        assert one.by
        assert one.mark
        assert one.label in one.issue.labels
        await tracker.update(project, made.ref, IssueChange(state=IssueState.IN_PROGRESS))
        assert await _waiting(tracker, project) == []

    async def test_an_outsiders_mark_says_why_it_is_not_obeyed(
        self, tracker: Tracker, project: Project, people: Marks
    ) -> None:
        made = await tracker.create(project, "One", "")
        people.mark(made.ref, member=False)
        (one,) = await _waiting(tracker, project)
        assert one.member is False
        assert one.by in one.reason

    async def test_a_mark_that_is_set_again_is_another_one(
        self, tracker: Tracker, project: Project, people: Marks
    ) -> None:
        made = await tracker.create(project, "One", "")
        marks = set()
        for _ in range(2):
            people.mark(made.ref, member=True)
            marks |= {one.mark for one in await _waiting(tracker, project)}
            await tracker.update(project, made.ref, IssueChange(state=IssueState.IN_PROGRESS))
        assert len(marks) == 2

    async def test_a_closed_issue_does_not_wait(
        self, tracker: Tracker, project: Project, people: Marks
    ) -> None:
        made = await tracker.create(project, "One", "")
        await tracker.update(project, made.ref, IssueChange(state=IssueState.CLOSED))
        people.mark(made.ref, member=True)
        assert await _waiting(tracker, project) == []


async def _waiting(tracker: Tracker, project: Project) -> list[Queued]:
    assert isinstance(tracker, Queue)
    return list(await tracker.waiting(project))
