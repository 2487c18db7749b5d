"""Sessions that have ended: read from their folders when somebody asks, never held in memory."""

from __future__ import annotations

from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.pull_request import PullRequestState
from orchestrator.domain.session import Session
from orchestrator.domain.when import clock
from orchestrator.errors import AoError, Conflict, NotFound
from orchestrator.lifecycle.changes import over_words
from orchestrator.services.core import Core

MOST = 100


async def listed(core: Core, project: ProjectId | None = None, most: int = MOST) -> list[Session]:
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


async def older(core: Core, project: ProjectId | None = None, most: int = MOST) -> int:
    """How many ended sessions `listed` leaves out because they are older; no file is opened."""
    projects = [project] if project else await _projects(core)
    counts = [len(await core.store.documents.list_ended(name)) for name in projects]
    return sum(max(0, count - most) for count in counts)


async def one(core: Core, session_id: SessionId) -> Session:
    """One ended session. Raises `NotFound`."""
    for name in await _projects(core):
        if session_id in await core.store.documents.list_ended(name):
            return await core.store.documents.read_ended(name, session_id)
    msg = f"there is no session {session_id}."
    raise NotFound(msg, next_step="`ao status --all` lists them.")


async def refuse(core: Core, session_id: SessionId) -> None:
    """Tell whoever asks something of an ended session who was first. Raises `Conflict`, `NotFound`."""
    if any(s.id == session_id for s in core.fleet.all()):
        return
    session = await one(core, session_id)
    change = session.change
    if change is not None and change.pr.state is PullRequestState.MERGED:
        msg = f"{over_words(change)}; the session has ended."
    else:
        msg = f"it has ended: {session.status.reason}, at {clock(session.wanted.at)}."
    raise Conflict(msg, session=session_id, next_step=f"`ao restore {session_id}` brings it back.")


async def _projects(core: Core) -> list[ProjectId]:
    return list(await core.files.run("home", core.home.project_ids))
