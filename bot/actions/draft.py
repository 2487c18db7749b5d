"""`draft`: make a session's pull request a draft, so that nobody reviews or merges it yet."""

from __future__ import annotations

from bot.actions.action import Action, Context, Role
from bot.actions.target import SESSION, about, session_of
from bot.chat.message import Message
from bot.chat.request import Request


async def run(context: Context, request: Request) -> Message:
    """Repeatable."""
    from orchestrator.services import draft

    meant = await session_of(context, request)
    session = await draft.set_draft(context.core, meant.id, draft=True, by=request.who)
    number = session.change.pr.number if session.change else 0
    return about(session, f"📝 #{number} of {session.id} is a draft now.", f"ready {session.id}")


ACTION = Action(
    verb="draft",
    summary="make a session's pull request a draft, so that nobody reviews or merges it yet",
    role=Role.OPERATOR,
    inverse="ready",
    run=run,
    arguments=(SESSION,),
    examples=("draft demo-1",),
)
