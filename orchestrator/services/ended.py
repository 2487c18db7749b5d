"""Sessions that have ended: read from their folders when somebody asks, never held in memory."""

from __future__ import annotations

from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.session import Session
from orchestrator.errors import AoError, NotFound
from orchestrator.services.core import Core


async def listed(core: Core, project: ProjectId | None = None, most: int = 100) -> list[Session]:
    """The `most` newest of each project, newest first. One that cannot be read is left out."""
    projects = [project] if project else await _projects(core)
    found = []
    for name in projects:
        for session_id in (await core.store.documents.list_ended(name))[:most]:
            try:
                found.append(await core.store.documents.read_ended(name, session_id))
            except AoError:
                continue  # doctor names damaged files; a list is no place for them
    return sorted(found, key=lambda s: -s.created_at)


async def one(core: Core, session_id: SessionId) -> Session:
    """One ended session. Raises `NotFound`."""
    for name in await _projects(core):
        if session_id in await core.store.documents.list_ended(name):
            return await core.store.documents.read_ended(name, session_id)
    msg = f"there is no session {session_id}."
    raise NotFound(msg, next_step="`ao status --all` lists them.")


async def _projects(core: Core) -> list[ProjectId]:
    return list(await core.files.run("home", core.home.project_ids))
