"""`hold`: nobody merges a session's pull request."""

from __future__ import annotations

from bot.actions.action import Action, Context, Role
from bot.actions.target import SESSION, about, session_of
from bot.chat.message import Message
from bot.chat.request import Request
from orchestrator.domain.when import clock


async def run(context: Context, request: Request) -> Message:
    """Repeatable."""
    from orchestrator.services import hold

    meant = await session_of(context, request)
    session = await hold.hold(context.core, meant.id, by=request.who)
    if meant.hold is not None:
        words = f"🛑 {session.id} is held already, by {meant.hold} since {clock(meant.hold_at)}."
        return about(session, words, f"unhold {session.id}")
    return about(session, f"🛑 Nobody merges {session.id} until it is unheld.", f"unhold {session.id}")


ACTION = Action(
    verb="hold",
    summary="nobody merges this session's pull request, no rule either",
    role=Role.APPROVER,
    inverse="unhold",
    run=run,
    arguments=(SESSION,),
    examples=("hold demo-1",),
)
