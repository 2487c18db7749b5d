"""Which session and which project a request means; used by nearly every verb."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.actions.action import Argument, Context, Kind
from bot.chat.message import Message
from bot.chat.request import Request
from orchestrator.errors import BadInput

if TYPE_CHECKING:
    from orchestrator.domain.session import Session

SESSION = Argument(name="session", help="a session: its id, its issue or its pull request", kind=Kind.SESSION)
"""Optional for the grammar, as it may be left out in a session's thread; `Request.target` insists."""


async def session_of(context: Context, request: Request, name: str = "session") -> Session:
    """The session that is meant. Raises `BadInput` or `NotFound`."""
    from orchestrator.services import sessions

    text = request.target(name)
    if text.startswith(("http://", "https://")):
        for session in await sessions.listed(context.core, ended=True):
            change = session.change
            if text.rstrip("/") in {session.task.url, change.pr.url if change else ""} - {""}:
                return session
        text = text.rstrip("/").rpartition("/")[2]
    return await sessions.one(context.core, text, context.sees)


def project_of(context: Context, request: Request, name: str = "project") -> str:
    """The project that is meant: the one named, the place's, or the only one. Raises `BadInput`."""
    found = request.text(name) or request.project
    if found:
        return spelled(context, found)
    known = [one for one in context.core.settings.now.project_ids if context.sees(one)]
    if len(known) == 1:
        return known[0]
    msg = f"{request.verb} needs a project."
    raise BadInput(msg, next_step=f"There are: {', '.join(known) or 'none yet, `ao init` makes one'}.")


def spelled(context: Context, name: str) -> str:
    """A project's name as it is configured, however it was typed; an unknown one as it is."""
    known = context.core.settings.project_ids
    return name if name in known else next((one for one in known if one.lower() == name.lower()), name)


def is_project(context: Context, name: str) -> bool:
    """Whether there is a project of this name, in any case."""
    return spelled(context, name) in context.core.settings.project_ids


def about(session: Session, title: str, *next_steps: str) -> Message:
    """The answer of a verb that concerned one session."""
    from bot.chat.view import session_data

    return Message(title=title, session=session.id, next_steps=next_steps, data=session_data(session))
