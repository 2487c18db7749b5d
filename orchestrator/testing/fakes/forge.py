"""What a forge in memory keeps."""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestrator.domain.ids import SessionId
from orchestrator.domain.pull_request import PullRequest

Number = tuple[str, int]
"""A project and the number of a pull request in it."""


@dataclass(slots=True)
class FakeForge:
    """What the world sees of the fake; a test changes it at will."""

    bases: dict[tuple[str, str], str] = field(default_factory=dict)
    """(project, branch) -> head of a base branch."""
    branches: dict[tuple[str, str], str] = field(default_factory=dict)
    """(project, branch) -> head of a session's branch."""
    pulls: dict[Number, PullRequest] = field(default_factory=dict)
    owners: dict[Number, SessionId] = field(default_factory=dict)
    published: dict[SessionId, str] = field(default_factory=dict)
    conflicting: set[str] = field(default_factory=set)
    """Heads that conflict with their base."""
    merges: list[tuple[str, int, str, str]] = field(default_factory=list)
    """(project, number, head, method) of every merge that happened."""
