"""`retry`: count red heads from the start again, so that failing checks go back to the agent."""

from __future__ import annotations

from bot.actions.action import Action, Argument, Context, Kind, Role
from bot.actions.target import SESSION, about, session_of
from bot.chat.message import Message
from bot.chat.request import Request


async def run(context: Context, request: Request) -> Message:
    """With `--rerun` the forge runs the failed checks again too."""
    from orchestrator.services import retry

    meant = await session_of(context, request)
    session = await retry.retry(context.core, meant.id, by=request.who, rerun=request.flag("rerun"))
    return about(session, f"🔁 {session.id} has all its attempts again.", f"status {session.id}")


ACTION = Action(
    verb="retry",
    summary="give a session all its attempts again, as if none had failed",
    role=Role.OPERATOR,
    run=run,
    arguments=(SESSION, Argument(name="rerun", help="run the failed checks again too", kind=Kind.FLAG)),
    examples=("retry demo-1", "retry demo-1 --rerun"),
)
