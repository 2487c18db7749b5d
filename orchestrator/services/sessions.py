"""Finding sessions: all, or the one that a person means."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from orchestrator.domain.ids import SessionId, project_id, session_id
from orchestrator.domain.session import Session
from orchestrator.errors import BadInput, Conflict, NotFound
from orchestrator.services import damaged
from orchestrator.services import ended as ended_ones
from orchestrator.services.core import Core
from orchestrator.settings.loader import load
from orchestrator.storage import last_run


async def listed(core: Core, *, project: str | None = None, ended: bool = False) -> list[Session]:
    """Live sessions in the order of their making, with `ended` those that have ended too."""
    name = project_id(project) if project else None
    if name is not None and not left_alone(core, name):
        core.settings.project(name)
    found = list(core.fleet.live(name))
    if ended:
        found += await ended_ones.listed(core, name)
    return found


def left_alone(core: Core, project: str | None = None) -> list[Session]:
    """Kept sessions that nobody looks after, as their projects are not in the configuration; as last seen."""
    return sorted((s for s in core.unadopted if project in {None, s.project}), key=lambda s: s.created_at)


async def left_alone_words(core: Core, session: Session) -> tuple[str, str]:
    """Why nobody looks after it, and what to do."""
    where, project = core.settings.path, session.project
    why = (
        f"nobody looks after it now: its project {project} is not in {where}, with which `ao` runs. "
        "Its agent goes on."
    )
    file = await core.files.run("home", _file_with, core, project)
    start = (
        f"`ao --config {file} start` looks after it"
        if file
        else f"Start `ao` with the file that has {project}"
    )
    return why, f"{start}; or put the project into {where} and `ao reload`."


def _file_with(core: Core, project: str) -> Path | None:
    """A file that this home ran with before, and that has the project. Blocks."""
    for path in last_run.configurations(core.home):
        if path != core.settings.path:
            settings = load(path, core.settings.env).settings
            if settings is not None and project in settings.project_ids:
                return path
    return None


async def left_out(core: Core, *, project: str | None = None) -> int:
    """How many ended sessions are too old to be in `listed`."""
    return await ended_ones.older(core, project_id(project) if project else None)


def _everything(_project: str) -> bool:
    return True


async def one(core: Core, text: str, sees: Callable[[str], bool] = _everything) -> Session:
    """The session that is meant by its id, its issue (`3`, `#3`) or its pull request.

    By a number only sessions of projects are meant that who asks `sees`.
    Raises `NotFound` when there is none, `BadInput` when several fit, and `Conflict` for one that nobody looks after.
    """
    wanted = text.strip().lower()
    live = core.fleet.live()
    by_id = [s for s in live if s.id == wanted]
    if by_id:
        return by_id[0]
    number = wanted.removeprefix("#")
    numbered = [s for s in live if number and (s.task.issue.lower() == number or _has_pr(s, number))]
    fits = [s for s in numbered if sees(s.project)]
    if len(fits) > 1:
        names = ", ".join(s.id for s in fits)
        msg = f"{text!r} fits several sessions: {names}."
        raise BadInput(msg, next_step="Name one of them.")
    if fits:
        return fits[0]
    alone = next((s for s in core.unadopted if s.id == wanted), None)
    if alone is not None:
        why, step = await left_alone_words(core, alone)
        raise Conflict(why, session=alone.id, next_step=step)
    lost = await damaged.named(core, wanted)
    if lost is not None:
        msg = f"{lost.id} is damaged: its file {lost.file} cannot be read; nobody looks after it."
        raise NotFound(msg, next_step=lost.next_step)
    try:
        return await ended_ones.one(core, session_id(wanted))
    except BadInput as error:
        msg = f"there is no session {text!r}."
        raise NotFound(msg, next_step="`ao status` lists them.") from error


def _has_pr(session: Session, number: str) -> bool:
    return session.change is not None and str(session.change.pr.number) == number


def live(core: Core, session_id: str) -> Session:
    """A live session by its id. Raises `NotFound`."""
    return core.fleet.get(SessionId(session_id))
