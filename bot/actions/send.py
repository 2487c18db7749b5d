"""`send`: tell a session's agent something."""

from __future__ import annotations

from bot.actions.action import Action, Argument, Context, Kind, Role
from bot.actions.target import SESSION, session_of
from bot.chat.message import Message
from bot.chat.render import message_stage
from bot.chat.request import Request
from bot.chat.view import message_data


async def run(context: Context, request: Request) -> Message:
    """The message is kept now, and typed once the agent's prompt waits."""
    from orchestrator.services import send

    session = await session_of(context, request)
    message = await send.send(
        context.core, session.id, request.text("text"), by=request.who, source=request.source
    )
    return Message(
        title=f"✉️ Message {message.number} to {session.id} {message_stage(session, message)}.",
        session=session.id,
        next_steps=(f"status {session.id}",),
        data={"session": session.id, "message": message_data(message)},
    )


ACTION = Action(
    verb="send",
    aliases=("tell",),
    summary="tell a session's agent something; it is typed when its prompt waits",
    role=Role.OPERATOR,
    run=run,
    arguments=(SESSION, Argument(name="text", help="what to tell it", kind=Kind.TEXT, required=True)),
    examples=("send demo-1 please add a test for the empty list",),
)
