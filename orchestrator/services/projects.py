"""The projects of this process: listed, added and taken out while it runs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator.domain.event import Event
from orchestrator.domain.ids import project_id
from orchestrator.domain.person import Actor
from orchestrator.errors import Conflict
from orchestrator.services import configuration, new_project, repository, trust
from orchestrator.services.core import Core
from orchestrator.services.new_project import Proposal, Wishes
from orchestrator.settings import own_file
from orchestrator.settings.loader import load
from orchestrator.settings.own_file import OwnFile
from orchestrator.settings.project_edit import NewProject, add_project, remove_project
from orchestrator.settings.shapes import local_file


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectRow:
    """One project and how much runs in it."""

    id: str
    name: str
    path: Path
    default_branch: str
    prefix: str
    agent: str
    tracker: str
    scm: str
    sessions: int


async def listed(core: Core) -> list[ProjectRow]:
    """All projects, in the file's order. Raises why the file cannot be used."""
    rows = []
    for project in core.settings.own.projects():
        parts = core.settings.now.parts(project.id)
        rows.append(
            ProjectRow(
                id=project.id,
                name=project.name,
                path=project.path,
                default_branch=project.default_branch,
                prefix=project.prefix,
                agent=parts.agent,
                tracker=parts.tracker,
                scm=parts.scm,
                sessions=len(core.fleet.live(project.id)),
            )
        )
    return rows


async def propose(core: Core, folder: Path, wishes: Wishes) -> Proposal:
    """The entry of the repository around `folder`, so that it can be spawned on. Raises `NotFound`, `NotReady`."""

    def work() -> Proposal:
        found = repository.look(folder, wishes.branch)
        defaults = core.settings.now.config.defaults
        default = defaults.worker.agent or defaults.agent or ""
        own, notes = _own_file(core, found.root)
        proposal = new_project.propose(
            found, wishes, core.registry, path=str(found.root), default_agent=default, own=own
        )
        return replace(proposal, notes=(*notes, *proposal.notes))

    return await core.files.run("configuration", work)


def _own_file(core: Core, root: Path) -> tuple[OwnFile | None, tuple[str, ...]]:
    """What the repository's own configuration says, if a person trusts it; else why nothing of it is taken."""
    path = local_file(root)
    if path is None or path == core.settings.path:
        return None, ()
    settings = load(path, core.settings.env).settings
    if settings is None:
        return None, (f"{path} has errors; nothing of it is taken. `ao config check {path}` names them.",)
    if trust.missing(settings, core.registry, trust.Trusted(core.home)):
        return None, (f"{path} is not trusted; nothing of it is taken.",)
    return own_file.read(settings, core.settings.env, root), ()


async def add(core: Core, project: NewProject, *, by: Actor) -> ProjectRow:
    """Add a project to the configuration file and take it over. Raises `BadInput`, `Conflict`."""
    await _edit(core, lambda: add_project(core.settings.path, project, core.settings.env))
    await _tell(core, project.id, "project.added", f"{by} added {project.id}")
    return next(row for row in await listed(core) if row.id == project.id)


async def remove(core: Core, project: str, *, by: Actor) -> None:
    """Take a project out of the file. Refused with `Conflict` while sessions of it live."""
    known = core.settings.now.project(project)
    live = core.fleet.live(known.id)
    if live:
        names = ", ".join(s.id for s in live)
        msg = f"{project} has live sessions: {names}."
        raise Conflict(msg, next_step="End them first (`ao kill ID`); their work is saved.")
    await _edit(core, lambda: remove_project(core.settings.path, project, core.settings.env))
    await _tell(core, project, "project.removed", f"{by} took {project} out")
    await core.files.run("home", _remove_empty, core.home.project(known.id).path)


def _remove_empty(folder: Path) -> None:
    """Remove a folder that holds nothing but empty folders; anything else stays whole."""
    found = [Path(at) for at, _, _ in os.walk(folder, topdown=False)]
    if not found or any(files for _, _, files in os.walk(folder)):
        return
    with contextlib.suppress(OSError):  # somebody put something in: then it stays
        for path in found:
            path.rmdir()


async def _edit(core: Core, edit: Callable[[], object]) -> None:
    """Edit the file, and trust it as it is now if it was trusted before: the edit came through us."""

    def work() -> None:
        trusted = trust.Trusted(core.home)
        was_trusted = not trust.missing(core.settings.look().require(), core.registry, trusted)
        edit()
        if was_trusted:
            trust.trust_file(core.settings.path, trusted)

    await core.files.run("configuration", work)
    await configuration.reload(core)


async def _tell(core: Core, project: str, kind: str, text: str) -> None:
    now = core.clock.now()
    event = Event(id=f"{kind}:{project}:{now}", type=kind, at=now, project=project_id(project), text=text)
    await core.fleet.tell(event)
