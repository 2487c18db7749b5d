"""`status`: the fleet, or one session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.actions.action import Access, Action, Argument, Context, Kind, Role, Scope
from bot.actions.target import SESSION, session_of, spelled
from bot.chat.message import Json, Message
from bot.chat.request import SHELL, Request
from orchestrator.domain.event import Level

if TYPE_CHECKING:
    from orchestrator.domain.session import Session
    from orchestrator.services.damaged import Lost


async def run(context: Context, request: Request) -> Message:
    """With a session its card, without one the list."""
    from bot.chat.render import session_card, sessions_table  # `ao status` in a shell needs none of it
    from orchestrator.services import damaged, sessions

    if request.text("session") or request.session:
        wanted = request.target().strip().lower()
        for session in sessions.left_alone(context.core):
            if session.id == wanted:
                return await _left_alone_card(context, session)
        return session_card(await session_of(context, request), context.now)
    named = request.text("project") or request.project
    project = spelled(context, named) if named else None
    listed = await sessions.listed(context.core, project=project, ended=request.flag("all"))
    found = [session for session in listed if context.sees(session.project)]
    lost = [
        one
        for one in await damaged.listed(context.core)
        if project in (None, one.project) and context.sees(one.project)
    ]
    names = [project] if project else filter(context.sees, context.core.settings.project_ids)
    left_out = 0
    for name in names if request.flag("all") else ():
        left_out += await sessions.left_out(context.core, project=name)
    table = sessions_table(found, context.now, brake=context.core.brake)
    alone = sessions.left_alone(context.core, project)
    whole = _with_older(_with_lost(await _with_left_alone(context, table, alone), lost), left_out)
    return _with_meters(whole, context)


async def _left_alone_card(context: Context, session: Session) -> Message:
    """The card of a session that nobody looks after, which says so before all else."""
    from bot.chat.render import session_card
    from orchestrator.services import sessions

    why, step = await sessions.left_alone_words(context.core, session)
    card = session_card(session, context.now)
    lines = (f"⚠️ As last seen; {why}", step, *card.lines)
    return replace(card, lines=lines, buttons=(), next_steps=(), level=Level.WARNING)


async def _with_left_alone(context: Context, message: Message, found: Sequence[Session]) -> Message:
    """The list, and beside it the sessions that nobody looks after."""
    from orchestrator.services import sessions

    if not found or not isinstance(message.data, dict):
        return message
    lines = [
        f"⚠️ {one.id} ({one.project}), last seen {one.status.status.value}: nobody looks after it."
        for one in found
    ]
    why, step = await sessions.left_alone_words(context.core, found[0])
    rows: list[Json] = [
        {"id": one.id, "project": one.project, "status": one.status.status.value} for one in found
    ]
    last = (
        f"Their projects are not in {context.core.settings.path}. {step}"
        if len(found) > 1
        else f"{why} {step}"
    )
    return replace(message, lines=(*message.lines, *lines, last), data={**message.data, "left_alone": rows})


def _with_older(message: Message, left_out: int) -> Message:
    """The list, and how many ended sessions are too old to be in it."""
    if not left_out:
        return message
    line = (
        f"{left_out} older ended session{'' if left_out == 1 else 's'} not listed; each is shown by its id."
    )
    data = {**message.data, "left_out": left_out} if isinstance(message.data, dict) else message.data
    return replace(message, lines=(*message.lines, line), data=data)


def _with_lost(message: Message, lost: Sequence[Lost]) -> Message:
    """The list, and beside it the sessions whose file is damaged."""
    if not lost or not isinstance(message.data, dict):
        return message
    lines = tuple(f"⚠️ {one.id} is damaged; nobody looks after it. {one.next_step}" for one in lost)
    rows: list[Json] = [{"id": one.id, "project": one.project, "file": str(one.file)} for one in lost]
    return replace(message, lines=(*message.lines, *lines), data={**message.data, "damaged": rows})


def _with_meters(message: Message, context: Context) -> Message:
    """The list; above it whom a service does not let in any more, below it what is short of an outside service's limits."""
    from orchestrator.services import credentials, meters

    refused = tuple(f"⚠️ {words}" for words in credentials.words(context.core))
    message = replace(message, lines=(*refused, *message.lines)) if refused else message
    found: list[Json] = [dict(row) for row in meters.rows(context.core)]
    if not found or not isinstance(message.data, dict):
        return message
    lines = tuple(f"⏳ {words}" for words in meters.words(context.core))
    return replace(message, lines=(*message.lines, *lines), data={**message.data, "limits": found})


ACTION = Action(
    verb="status",
    aliases=("ls", "sessions", "st"),
    summary="show the fleet, or one session with its pull request",
    role=Role.VIEWER,
    scope=Scope.SEEN,
    access=Access.READS,
    run=run,
    arguments=(
        SESSION,
        Argument(name="project", help="of one project only", kind=Kind.PROJECT, option=True),
        Argument(name="all", help="ended sessions too", kind=Kind.FLAG),
        Argument(name="watch", help="keep showing it until Ctrl-C", kind=Kind.FLAG, surfaces=SHELL),
    ),
    examples=("status", "status demo-1", "status --watch", "status --json"),
)
