"""The label is the queue: asks trackers for issues that somebody handed to an agent there, and spawns them.

Only in `ao start`, and only trackers that are a `Queue`. What became of a marking is kept by its name, so that
none is obeyed or told of twice, also where the label stays on the issue.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.domain.event import Event, Level
from orchestrator.domain.ids import ProjectId
from orchestrator.domain.issue import IssueState
from orchestrator.domain.outside_text import excerpt, one_line
from orchestrator.domain.person import rule
from orchestrator.domain.project import Project
from orchestrator.domain.session import Session
from orchestrator.errors import AoError, TemporaryError
from orchestrator.lifecycle.draft import Draft
from orchestrator.ports.tracker import TRACKER, IssueChange, Queue, Queued, Tracker
from orchestrator.services import spawn
from orchestrator.services.core import Core

log = logging.getLogger(__name__)
KEY = "intake"
"""In `fleet.json`, by project: `marks`, what was dealt with (ref -> marking), and `trouble`, as it was told."""
SOONEST = 2.0
"""Seconds between two looks at one queue, however often it is woken."""
LONGEST = 900.0
"""Seconds at most between two looks at a queue that cannot be read."""
PATIENCE = 3
"""Failures in a row that may pass by themselves; then people are told."""
AT_ONCE = 20
"""Sessions that one look at a queue makes; the next look goes on."""
_NAMED = 5
"""Issues that one message names."""


@dataclass(slots=True)
class _Turn:
    """When a project's queue is asked next, on the machine's own clock."""

    due: float = 0.0
    asked: float = float("-inf")
    failures: int = 0
    woken: bool = False
    task: asyncio.Task[None] | None = None


@dataclass(slots=True)
class _Outcome:
    """What one look at a queue came to."""

    marks: dict[str, str] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    """Why issues were not taken up, a line each."""
    loud: bool = False
    """A member's wish is among them."""


class Intake:
    """Looked at after every round; the asking runs beside the rounds."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._turns: dict[ProjectId, _Turn] = {}

    def wake(self, project: ProjectId) -> None:
        """Something outside says that the project's queue changed: ask it now."""
        self._turns.setdefault(project, _Turn()).woken = True
        self._core.fleet.wake()

    async def look(self) -> None:
        """Begin to ask the queues that are due."""
        if not self._core.serving.is_set():
            return  # nobody would look after what starts
        now = self._core.clock.monotonic()
        for project in self._core.settings.now.project_ids:
            turn = self._turns.setdefault(project, _Turn())
            soon = turn.woken and now - turn.asked >= SOONEST
            if turn.task is None and (soon or now >= turn.due):
                turn.woken, turn.asked = False, now
                turn.task = asyncio.create_task(self._ask(project, turn), name=f"intake of {project}")

    def resting(self) -> bool:
        """Nothing is being asked."""
        return all(turn.task is None for turn in self._turns.values())

    async def close(self) -> None:
        """Ask no more. What was spawned and not yet kept as such is seen as a duplicate next time."""
        tasks = [turn.task for turn in self._turns.values() if turn.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, project: ProjectId, turn: _Turn) -> None:
        wait = self._core.settings.now.config.lifecycle.intake
        try:
            await self._take(project)
            turn.failures = 0
        except AoError as error:
            turn.failures += 1
            # At once, then ever later.
            wait = min(wait * 2 ** (turn.failures - 1), LONGEST)
            wait = max(wait, error.delay) if isinstance(error, TemporaryError) else wait
            log.warning("the label queue was not read: %s", error, extra={"project": project})
            if not isinstance(error, TemporaryError) or turn.failures >= PATIENCE:
                await self._trouble(project, error)
        except Exception:
            turn.failures += 1
            wait = LONGEST
            log.exception("the label queue was not read", extra={"project": project})
        finally:
            turn.due = self._core.clock.monotonic() + max(wait, SOONEST)
            turn.task = None

    async def _take(self, project: ProjectId) -> None:
        """One look at a project's queue, and what follows from it."""
        core = self._core
        name = core.settings.parts(project).tracker
        tracker = core.registry.create(TRACKER, name, core.settings.options(project, "tracker", name))
        if not isinstance(tracker, Queue):
            return
        where = core.settings.project(project)
        queued = await tracker.waiting(where)
        known = self._kept(project)
        out = _Outcome({q.issue.ref: q.mark for q in queued if known["marks"].get(q.issue.ref) == q.mark})
        new = [q for q in queued if q.issue.ref not in out.marks]
        try:
            await self._all(tracker, where, new[:AT_ONCE], out)
        finally:
            if out.refused:
                await core.fleet.tell_once(self._refusal(where, new, out))
            after = {"marks": out.marks, "trouble": ""}
            if after != known:
                await self._keep(project, after)
        if len(new) > AT_ONCE:
            self.wake(project)

    async def _all(self, tracker: Tracker, project: Project, new: Sequence[Queued], out: _Outcome) -> None:
        """Raises the first `TemporaryError` when all were tried: one issue holds no other up."""
        failed: TemporaryError | None = None
        for one in new:
            try:
                why = await self._spawn(tracker, project, one) if one.member else one.reason
            except TemporaryError as error:
                failed = failed or error
                continue
            out.marks[one.issue.ref] = one.mark
            if why:
                out.loud = out.loud or one.member
                title = excerpt(one_line(one.issue.title, 80), 80)
                out.refused.append(f"issue {one.issue.ref} ({title}): {why}")
        if failed is not None:
            raise failed

    async def _spawn(self, tracker: Tracker, project: Project, one: Queued) -> str:
        """Spawn it; why not, in words. Raises `TemporaryError`: it is tried again."""
        by = rule(f"label {one.label} ({one.by})")
        try:
            ask = spawn.SpawnAsk(project=project.id, issue=one.issue.ref)
            made = await spawn.spawn(self._core, ask, by=by)
            await self._taken_up(tracker, project, made)
        except TemporaryError:
            raise
        except spawn.AlreadyThere as error:
            if error.ended:
                return str(error)
            # A live session has told the tracker of itself already: only the label is left.
            await tracker.update(project, one.issue.ref, IssueChange(remove_labels=(one.label,)))
        except AoError as error:
            return str(error)
        return ""

    async def _taken_up(self, tracker: Tracker, project: Project, session: Session) -> None:
        """Whoever set the label sees at once that it was seen, also while the session waits for a place."""
        try:
            change = IssueChange(state=IssueState.IN_PROGRESS, keep_closed=True)
            await tracker.update(project, session.task.issue, change)
        except AoError as error:
            # The ring tells the tracker anyway, once the session works, and tries that again.
            log.warning("the tracker was not told yet: %s", error, extra={"session": session.id})
            return

        def told(draft: Draft) -> None:
            if not draft.session.issue_told:
                draft.set(issue_told=IssueState.IN_PROGRESS.value)

        await self._core.fleet.change(session.id, told)

    def _refusal(self, project: Project, new: Sequence[Queued], out: _Outcome) -> Event:
        refused = out.refused
        more = f"\nand {len(refused) - _NAMED} more" if len(refused) > _NAMED else ""
        rows = "\n".join(refused[:_NAMED]) + more
        marks = ",".join(sorted(f"{one.issue.ref}={one.mark}" for one in new))
        return Event(
            id=f"intake:{project.id}:{marks[:200]}",
            type="intake.refused",
            at=self._core.clock.now(),
            project=project.id,
            text=f"The label {new[0].label} started no session (taken off and set again it is a new wish).\n{rows}",
            level=Level.WARNING if out.loud else Level.INFO,
            data={"url": new[0].issue.url, "issues": len(refused)},
        )

    async def _trouble(self, project: ProjectId, error: AoError) -> None:
        known = self._kept(project)
        if known["trouble"]:
            return
        now = self._core.clock.now()
        event = Event(
            id=f"intake:{project}:trouble:{int(1000 * now)}",
            type="intake.trouble",
            at=now,
            project=project,
            text=f"Issues that are handed to agents by a label are not seen now: {error}",
            level=Level.WARNING,
        )
        await self._core.fleet.tell_once(event)
        await self._keep(project, {**known, "trouble": error.what})

    def _kept(self, project: ProjectId) -> dict[str, Any]:
        kept: dict[str, Any] = self._core.store.fleet.get(KEY, {})
        return {"marks": {}, "trouble": "", **kept.get(project, {})}

    async def _keep(self, project: ProjectId, what: dict[str, Any]) -> None:
        kept: dict[str, Any] = {**self._core.store.fleet.get(KEY, {}), project: what}
        await self._core.store.fleet.set(KEY, kept)
