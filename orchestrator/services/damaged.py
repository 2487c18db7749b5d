"""Sessions whose kept file cannot be read: found, and ended like others from what else is known of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.domain.event import Event, Scalar
from orchestrator.domain.ids import ProjectId, SessionId, branch_name, project_id, session_id
from orchestrator.domain.person import Actor
from orchestrator.domain.session import (
    RuntimeFact,
    RuntimeState,
    Session,
    Setup,
    SetupStep,
    StatusLine,
    Task,
    Wanted,
    WantedState,
    new_activity,
)
from orchestrator.domain.status import Status
from orchestrator.errors import BadInput
from orchestrator.lifecycle.draft import Draft
from orchestrator.services import events, kill
from orchestrator.services.core import Core

_SET_ASIDE = "*/sessions/*/session.json.damaged-*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """One session that nobody looks after. Its agent, terminal and workspace are as they were."""

    project: ProjectId
    id: SessionId
    file: Path
    """What could not be read, where it lies now."""

    @property
    def next_step(self) -> str:
        """What a person can do, in words."""
        return f"`ao kill {self.id}` saves its work and ends it."


async def listed(core: Core) -> Sequence[Lost]:
    """All of them, set aside by this start or an earlier one, or found by whoever only reads."""
    aside = await core.files.run("home", lambda: sorted(core.home.projects.glob(_SET_ASIDE)))
    found = [*aside, *(damaged.path for damaged in core.store.damaged if damaged.kept_as is None)]
    live = {session.id for session in (*core.fleet.live(), *core.unadopted)}
    lost = [one for file in found for one in [_lost(core, file)] if one is not None and one.id not in live]
    return list({one.id: one for one in lost}.values())


def _lost(core: Core, file: Path) -> Lost | None:
    """The session whose folder this file is in; None for any other file."""
    if not file.is_relative_to(core.home.projects) or not file.name.startswith("session.json"):
        return None
    try:
        project, kind, session, _ = file.relative_to(core.home.projects).parts
        found = Lost(project=project_id(project), id=session_id(session), file=file)
    except (ValueError, BadInput):
        return None
    return found if kind == "sessions" else None


async def named(core: Core, text: str) -> Lost | None:
    """The one with this id, if there is one."""
    wanted = text.strip().lower()
    return next((one for one in await listed(core) if one.id == wanted), None)


async def end(core: Core, lost: Lost, *, by: Actor) -> Session:
    """Take it up again as a session that is to end: the ring saves its work and takes it down.

    What its file held is known in part, from the event log and the configuration. Raises `NotFound`
    where its project is not in the configuration, `Conflict` where somebody was quicker.
    """
    known = [logged.event for logged in await events.newest(core, events.MOST, lost.id)]

    def told(draft: Draft) -> None:
        kill.stop(draft, by)

    made = await core.fleet.add(_rebuilt(core, lost, known, by), told)
    core.store.damaged[:] = [d for d in core.store.damaged if _lost(core, d.path) != lost]
    core.fleet.wake(made.id)
    return made


def _rebuilt(core: Core, lost: Lost, known: Sequence[Event], by: Actor) -> Session:
    project, now = core.settings.project(lost.project), core.clock.now()
    serials = [event.id.rpartition(":")[2] for event in known if event.id.startswith(f"{lost.id}:")]
    return Session(
        id=lost.id,
        project=lost.project,
        created_at=known[0].at if known else now,
        created_by=by,
        task=Task(issue=_said(known, "session.spawned", "issue"), title="(its file was damaged)"),
        parts=core.settings.parts(lost.project),
        branch=branch_name(_said(known, "session.workspace", "branch") or f"session/{lost.id}"),
        base=project.default_branch,
        base_sha=_said(known, "session.workspace", "base"),
        wanted=Wanted(state=WantedState.RUN, by=by, at=now),
        setup=Setup(step=SetupStep.READY, at=now),
        work=new_activity(now),
        runtime=RuntimeFact(state=RuntimeState.ALIVE, at=now),
        status=StatusLine(status=Status.ERRORED, reason="its file was damaged", evidence="", since=now),
        event_serial=max((int(serial) for serial in serials if serial.isdigit()), default=0),
    )


def _said(known: Sequence[Event], kind: str, name: str) -> str:
    """What the newest event of a type says under a name; empty when there is none."""
    found: list[Scalar] = [event.data.get(name, "") for event in known if event.type == kind]
    return str(found[-1]) if found else ""
