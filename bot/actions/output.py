"""`output`: the last lines of a session's terminal."""

from __future__ import annotations

from bot.actions.action import Access, Action, Argument, Context, Kind, Role
from bot.actions.target import SESSION, session_of
from bot.chat.message import Message
from bot.chat.request import Request


async def run(context: Context, request: Request) -> Message:
    """Outside text: the service cleans and masks it."""
    from orchestrator.services import output

    session = await session_of(context, request)
    text = await output.output(context.core, session.id, request.number("lines", 40))
    return Message(
        title=f"{session.id}: last lines of its terminal",
        lines=tuple(text.splitlines()),
        verbatim=True,
        session=session.id,
        data={"session": session.id, "output": text},
    )


ACTION = Action(
    verb="output",
    aliases=("logs", "peek"),
    summary="show the last lines of a session's terminal",
    role=Role.VIEWER,
    access=Access.READS,
    run=run,
    arguments=(
        SESSION,
        Argument(name="lines", help="how many lines; 40 unless told", kind=Kind.NUMBER, option=True),
    ),
    examples=("output demo-1 --lines 100",),
)
