"""What webhooks told us so far: counted, and when last; and who else is told. In memory, of this process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from orchestrator.domain.ids import ProjectId
from orchestrator.domain.when import clock

QUIET = 3600.0
"""Seconds without a delivery after which a project is polled as if it had no webhook."""


class Outcome(StrEnum):
    """What became of a delivery."""

    TAKEN = "taken"
    REPEATED = "repeated"
    """Taken before; nothing was done."""
    FORGED = "forged"
    """Not signed with a secret of ours."""
    FOREIGN = "foreign"
    """For a path, a project or a repository that is not here."""
    UNREADABLE = "unreadable"
    LARGE = "large"
    SLOW = "slow"
    BUSY = "busy"
    """Too many came at once."""
    FAILED = "failed"
    """Genuine, and could not be kept."""


@dataclass(slots=True)
class HookNews:
    """One a core."""

    address: str = ""
    """Where the listener listens: `http://127.0.0.1:8420/hooks`; empty while it does not."""
    deliveries: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By event and outcome; the event of what is not genuine is not told."""
    heard: dict[ProjectId, tuple[float, str]] = field(default_factory=dict)
    """The last genuine delivery of each project: when, and of which event."""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Those that we made, newest first."""
    deliveries_came: list[Callable[[ProjectId, str], object]] = field(default_factory=list)
    """Called with each delivery's project and event."""
    issues_changed: list[Callable[[ProjectId], object]] = field(default_factory=list)
    """Called when a project's issues changed; returns at once and raises nothing."""

    def count(self, outcome: Outcome, event: str = "-") -> None:
        """One more delivery."""
        self.deliveries[event, outcome.value] += 1

    def took(self, project: ProjectId, event: str, at: float) -> None:
        """A genuine delivery of this project came."""
        self.heard[project] = (at, event)

    def row(self, project: ProjectId, now: float) -> str:
        """How a project's webhook does, in words; without a record of it: that none came."""
        if project not in self.heard:
            return "no delivery yet: polling covers"
        at, event = self.heard[project]
        if now - at > QUIET:
            return f"no delivery for {_duration(now - at)}: polling covers"
        return f"the last delivery ({event}) came at {clock(at)}"


def _duration(seconds: float) -> str:
    minutes = int(seconds // 60)
    return (
        f"{minutes} min"
        if minutes < 120
        else f"{minutes // 60} h"
        if minutes < 2880
        else f"{minutes // 1440} d"
    )
