"""Finding sessions: all, or the one that a person means."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.domain.ids import SessionId, project_id, session_id
from orchestrator.domain.session import Session
from orchestrator.errors import BadInput, NotFound
from orchestrator.services import damaged
from orchestrator.services import ended as ended_ones
from orchestrator.services.core import Core


async def listed(core: Core, *, project: str | None = None, ended: bool = False) -> list[Session]:
    """Live sessions in the order of their making, with `ended` those that have ended too."""
    name = project_id(project) if project else None
    if name is not None:
        core.settings.project(name)
    found = list(core.fleet.live(name))
    if ended:
        found += await ended_ones.listed(core, name)
    return found


async def left_out(core: Core, *, project: str | None = None) -> int:
    """How many ended sessions are too old to be in `listed`."""
    return await ended_ones.older(core, project_id(project) if project else None)


def _everything(_project: str) -> bool:
    return True


async def one(core: Core, text: str, sees: Callable[[str], bool] = _everything) -> Session:
    """The session that is meant by its id, its issue (`3`, `#3`) or its pull request.

    By a number only sessions of projects are meant that who asks `sees`.
    Raises `NotFound` when there is none and `BadInput` when several fit.
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
