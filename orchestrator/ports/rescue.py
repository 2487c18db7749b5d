"""What a workspace plugin can do with saved work, asked for with `isinstance`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from orchestrator.domain.project import Project
from orchestrator.domain.session import Rescue


@runtime_checkable
class Rescues(Protocol):
    """Saved work that can be listed, shown and dropped."""

    async def rescues(self, project: Project) -> Sequence[Rescue]:
        """All saved work of a project, newest first."""

    async def show(self, project: Project, ref: str) -> str:
        """What is saved under `ref`, as a bounded `git diff --stat` and patch. Raises `NotFound`."""

    async def drop(self, project: Project, ref: str) -> None:
        """Forget saved work for good. Raises `NotFound`."""
