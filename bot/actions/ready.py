"""`ready`: take a session's pull request out of draft, so that it can be reviewed and merged."""

from __future__ import annotations

from bot.actions.action import Action, Context, Role
from bot.actions.target import SESSION, about, session_of
from bot.chat.message import Message
from bot.chat.request import Request


async def run(context: Context, request: Request) -> Message:
    """Repeatable."""
    from orchestrator.services import draft

    meant = await session_of(context, request)
    session = await draft.set_draft(context.core, meant.id, draft=False, by=request.who)
    number = session.change.pr.number if session.change else 0
    return about(session, f"📬 #{number} of {session.id} is ready for review now.", f"draft {session.id}")


ACTION = Action(
    verb="ready",
    summary="take a session's pull request out of draft, so that it can be reviewed and merged",
    role=Role.OPERATOR,
    inverse="draft",
    run=run,
    arguments=(SESSION,),
    examples=("ready demo-1",),
)
