"""Slot `tracker`: where issues come from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from orchestrator.domain.issue import Issue, IssueState
from orchestrator.domain.look import Look
from orchestrator.domain.project import Project
from orchestrator.ports.plugin import Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueChange:
    """What to change on an issue; None and empty mean: leave."""

    state: IssueState | None = None
    keep_closed: bool = False
    """An issue that is closed stays as it was closed, whatever `state` says; its marks follow that."""
    add_labels: tuple[str, ...] = ()
    remove_labels: tuple[str, ...] = ()
    comment: str = ""
    once: bool = False
    """A comment of the very same words is not written again."""
    assignee: str | None = None


class Tracker(Protocol):
    """A store of issues. Every text of an issue is outside text."""

    async def observe(self, project: Project, refs: Collection[str]) -> Mapping[str, Look[Issue | None]]:
        """Each issue; None when the tracker says that there is no such issue."""

    async def search(self, project: Project, text: str = "", limit: int = 50) -> Sequence[Issue]:
        """Open issues, newest last; with `text` those whose title or body holds it."""

    async def create(self, project: Project, title: str, body: str, labels: Collection[str] = ()) -> Issue:
        """Make an issue."""

    async def update(self, project: Project, ref: str, change: IssueChange) -> Issue:
        """Change an issue; the outcome. Repeatable except for a `comment` without `once`. Raises `NotFound`."""

    def branch_name(self, issue: Issue) -> str:
        """The branch this tracker suggests for an issue, as `domain.ids.branch_name` accepts it."""

    def parse_ref(self, project: Project, text: str) -> str:
        """The ref in what a person typed: `123`, `#123`, a link. Raises `BadInput`, also for another's link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """An issue that somebody marked for an agent."""

    issue: Issue
    by: str
    """Who marked it, by the tracker's own name."""
    member: bool
    """Whoever marked it belongs to the project there; others are not obeyed."""
    label: str
    """What it was marked with."""
    mark: str
    """Names this marking: taken off and set again it is another one."""
    reason: str = ""
    """Why it is not obeyed, in words; empty for a member."""


@runtime_checkable
class Queue(Protocol):
    """A tracker in which a label hands an issue to an agent: the label is the queue."""

    async def waiting(self, project: Project) -> Sequence[Queued]:
        """Open issues that are marked, oldest mark first. Raises `TemporaryError`, `NotAllowed`.

        Asked every minute: it costs next to nothing while nothing is marked. `update` to the state
        `in_progress` takes the mark off.
        """


TRACKER: Slot[Tracker] = Slot("tracker")
