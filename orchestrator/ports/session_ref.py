"""What every port is told of a session: enough to find it, nothing of its state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from typing_extensions import override

from orchestrator.domain.ids import SessionId
from orchestrator.domain.project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRef:
    """A session, as ports see it. Two refs with one id are the same session."""

    id: SessionId
    project: Project
    folder: Path
    """The session's folder on this host; in the place it is `place.folder`."""
    branch: str
    workspace: str = ""
    """Path of the workspace in the session's place; empty before it exists."""
    environment: Mapping[str, str] = field(default_factory=dict, compare=False)
    """The whole allow-listed environment of everything that runs in the session."""

    @override
    def __hash__(self) -> int:
        return hash(self.id)
