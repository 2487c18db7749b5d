"""Tells once when all sessions of a project have come to an end; new work arms it again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from orchestrator.domain.event import Event
from orchestrator.domain.ids import ProjectId
from orchestrator.domain.status import ENDED
from orchestrator.lifecycle.announcer import Positions
from orchestrator.lifecycle.fleet import Fleet

KEY = "armed_projects"
"""By project: `at`, when it was armed (epoch seconds), and `ends`, how each session ended."""


class Completion:
    """Looked at after every round. What is armed is kept, so that a restart tells neither twice nor never."""

    def __init__(self, fleet: Fleet, kept: Positions, sees: Callable[[ProjectId], bool]) -> None:
        self._fleet = fleet
        self._kept = kept
        self._sees = sees
        """Whether all live sessions of a project are in the fleet. Of another nothing can be told here."""

    async def look(self) -> None:
        """Arm projects with live work; tell of armed ones without."""
        armed: dict[str, dict[str, Any]] = dict(self._kept.get(KEY, {}))
        after = self._tallied(armed)
        working: set[str] = {s.project for s in self._fleet.all() if s.status.status not in ENDED}
        for project in working - after.keys():
            after[project] = {"at": self._fleet.now, "ends": {}}
        for project in sorted(p for p in after.keys() - working if self._sees(ProjectId(p))):
            await self._fleet.tell_once(self._event(ProjectId(project), **after.pop(project)))
        if after != armed:
            await self._kept.set(KEY, after)

    def _tallied(self, armed: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """How each session of an armed project ended, as far as it is still there to be asked."""
        tally = {
            project: {"at": found["at"], "ends": dict(found["ends"])} for project, found in armed.items()
        }
        for session in self._fleet.all():
            if session.status.status in ENDED and session.project in tally:
                tally[session.project]["ends"][session.id] = session.status.status.value
        return tally

    def _event(self, project: ProjectId, *, at: float, ends: dict[str, str]) -> Event:
        """Named after its arming, so that telling it again after a crash is seen to be that."""
        counted = ", ".join(f"{n} {status}" for status, n in sorted(Counter(ends.values()).items()))
        summary = f": {counted}" if counted else ""
        return Event(
            id=f"complete:{project}:{int(1000 * at)}",
            type="fleet.complete",
            at=self._fleet.now,
            project=project,
            text=f"all sessions of {project} have ended{summary}",
            data={
                "sessions": ", ".join(sorted(ends)),
                "summary": "\n".join(f"{session} {ends[session]}" for session in sorted(ends)),
            },
        )
