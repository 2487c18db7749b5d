"""`send-back`: refuse a push that is held; the agent is told why."""

from __future__ import annotations

from bot.actions import facts
from bot.actions.action import Action, Argument, Confirmation, Context, Kind, Role
from bot.actions.approve import HEAD
from bot.actions.target import SESSION, about, session_of
from bot.chat.message import Message
from bot.chat.request import Request


async def run(context: Context, request: Request) -> Message:
    """Bound to the head that was shown, like a release."""
    from orchestrator.services import held

    meant = await session_of(context, request)
    session = await held.send_back(
        context.core,
        meant.id,
        head=request.text("head"),
        words=request.text("text"),
        by=request.who,
    )
    return about(
        session, f"↩️ The push of {session.id} is sent back; the agent is told.", f"status {session.id}"
    )


ACTION = Action(
    verb="send-back",
    summary="refuse a push that is held; the agent is told what was refused, and your words",
    role=Role.OPERATOR,
    confirmation=Confirmation.HEAD,
    preview=facts.of_held_push,
    inverse="release",
    run=run,
    arguments=(
        SESSION,
        Argument(name="text", help="what the agent should change", kind=Kind.TEXT),
        HEAD,
    ),
    examples=("send-back demo-1 leave the workflow alone",),
)
