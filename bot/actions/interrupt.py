"""`interrupt`: make an agent stop its turn."""

from __future__ import annotations

from bot.actions.action import Action, Context, Role
from bot.actions.target import SESSION, about, session_of
from bot.chat.message import Message
from bot.chat.request import Request


async def run(context: Context, request: Request) -> Message:
    """The agent's own next signal shows whether it stopped."""
    from orchestrator.services import interrupt

    session = await session_of(context, request)
    said = await interrupt.interrupt(context.core, session.id, by=request.who)
    return about(session, f"✋ {session.id}: {said}", f"send {session.id} <text>")


ACTION = Action(
    verb="interrupt",
    aliases=("!stop",),
    summary="make an agent stop its turn and wait",
    role=Role.OPERATOR,
    requesters=True,
    inverse="send",
    run=run,
    arguments=(SESSION,),
    examples=("interrupt demo-1",),
)
