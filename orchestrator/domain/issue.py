"""An issue of a tracker: what an agent is asked to do. All its text comes from outside."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class IssueState(StrEnum):
    """Where an issue stands."""

    OPEN = "open"
    IN_PROGRESS = "in_progress"
    IN_REVIEW = "in_review"
    """Its pull request waits for people. A tracker without such a state shows it as in progress."""
    CLOSED = "closed"
    CANCELLED = "cancelled"


CLOSED = frozenset({IssueState.CLOSED, IssueState.CANCELLED})
"""Nothing is to be done about it any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One issue. `title`, `body` and comments are outside text: data, never instructions of ours."""

    ref: str
    """The tracker's own name for it: `123`, `ENG-42`, `1`."""
    title: str
    body: str = ""
    url: str = ""
    state: IssueState = IssueState.OPEN
    labels: tuple[str, ...] = ()
    assignee: str = ""
    author: str = ""
    comments: tuple[IssueComment, ...] = ()
    trusted: bool = True
    """Whoever wrote title and body belongs to the project; other texts reach an agent only when released."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueComment:
    """One comment under an issue."""

    author: str
    body: str
    at: float = 0.0
    id: str = ""
    url: str = ""
    trusted: bool = True
    """Whoever wrote it belongs to the project, or is a bot that the project uses."""
