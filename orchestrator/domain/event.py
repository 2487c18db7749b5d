"""What happened: one line of the event log, the source of every notification."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from orchestrator.domain.ids import ProjectId, SessionId

Scalar = str | int | float | bool | None

HERE = "here"
"""In an event's data: the forge only shows what a person asked for here, which was told already."""


class Level(StrEnum):
    """How much an event matters to people (names as in the reference system)."""

    INFO = "info"
    WARNING = "warning"
    ACTION = "action"
    """Somebody should decide something, some time."""
    URGENT = "urgent"
    """A session waits for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened.

    `id` is `<session>:<n>` with a number that counts up within the session, so that an event
    which was appended before a crash is recognised and never appended twice.
    """

    id: str
    type: str
    """Dotted: `session.waiting_input`, `ci.failing`, `message.accepted`."""
    at: float
    project: ProjectId
    session: SessionId | None = None
    text: str = ""
    """One sentence for people."""
    level: Level = Level.INFO
    data: dict[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEvent:
    """An event with its place in the log: `seq` counts up by one over all projects."""

    seq: int
    event: Event
