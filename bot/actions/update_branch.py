"""`update-branch`: the forge merges the newest base into a session's pull request."""

from __future__ import annotations

from bot.actions.action import Action, Context, Role
from bot.actions.target import SESSION, about, session_of
from bot.chat.message import Message
from bot.chat.request import Request


async def run(context: Context, request: Request) -> Message:
    """At the head that is known; a newer one is refused."""
    from orchestrator.services import update_branch

    meant = await session_of(context, request)
    session = await update_branch.update_branch(context.core, meant.id, by=request.who)
    pull = session.change.pr if session.change else None
    base = f"{pull.base} is merged into #{pull.number}" if pull else "Its base is merged in"
    return about(session, f"⤵️ {base} by the forge; {session.id} is told.", f"status {session.id}")


ACTION = Action(
    verb="update-branch",
    summary="have the forge merge the newest base into a session's pull request",
    role=Role.OPERATOR,
    run=run,
    arguments=(SESSION,),
    examples=("update-branch demo-1",),
)
