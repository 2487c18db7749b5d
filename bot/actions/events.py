"""`events`: what happened."""

from __future__ import annotations

from bot.actions.action import Access, Action, Argument, Context, Kind, Role
from bot.actions.target import SESSION, session_of
from bot.chat.message import Message
from bot.chat.request import SHELL, Request


async def run(context: Context, request: Request) -> Message:
    """The newest ones, or those after a number."""
    from bot.chat.render import events_message
    from orchestrator.services import events

    named = request.text("session") or request.session
    session = (await session_of(context, request)).id if named else ""
    limit = min(max(request.number("limit", 30), 1), 1000)
    after = request.number("after", -1)
    if after >= 0:
        return events_message(await events.read(context.core, after, limit, session))
    return events_message(await events.newest(context.core, limit, session))


ACTION = Action(
    verb="events",
    aliases=("log", "history"),
    summary="show what happened",
    role=Role.VIEWER,
    access=Access.READS,
    run=run,
    arguments=(
        SESSION,
        Argument(name="after", help="events with a greater number only", kind=Kind.NUMBER, option=True),
        Argument(name="limit", help="how many; 30 unless told, at most 1000", kind=Kind.NUMBER, option=True),
        Argument(name="follow", help="show each new one until Ctrl-C", kind=Kind.FLAG, surfaces=SHELL),
    ),
    examples=("events", "events demo-1", "events --follow --json"),
)
