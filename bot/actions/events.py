"""`events`: what happened."""

from __future__ import annotations

from bot.actions.action import Access, Action, Argument, Context, Kind, Role, Scope
from bot.actions.target import SESSION, session_of
from bot.chat.message import Message
from bot.chat.request import SHELL, Request
from orchestrator.errors import BadInput


async def run(context: Context, request: Request) -> Message:
    """The newest ones, or those after a number."""
    from bot.chat.render import events_message
    from orchestrator.services import events

    named = request.text("session") or request.session
    session = (await session_of(context, request)).id if named else ""
    limit = min(request.number("limit", 30), 1000)
    if limit < 1:
        msg = "no event was asked for: --limit is 1 at least."
        raise BadInput(msg, next_step="`ao events` shows the newest 30.")
    after = request.number("after", -1)
    read = events.read(context.core, after, limit, session) if after >= 0 else None
    found = await (read or events.newest(context.core, limit, session))
    return events_message([one for one in found if context.sees(one.event.project)], context.now)


ACTION = Action(
    verb="events",
    aliases=("log", "history"),
    summary="show what happened",
    role=Role.VIEWER,
    scope=Scope.SEEN,
    access=Access.READS,
    run=run,
    arguments=(
        SESSION,
        Argument(name="after", help="events with a greater number only", kind=Kind.NUMBER, option=True),
        Argument(name="limit", help="how many; 30 unless told, at most 1000", kind=Kind.NUMBER, option=True),
        Argument(
            name="follow",
            help="show the newest ten, then each new one until Ctrl-C",
            kind=Kind.FLAG,
            surfaces=SHELL,
        ),
    ),
    examples=("events", "events demo-1", "events --follow --json"),
)
