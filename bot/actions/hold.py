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
        words = f"🛑 {session.id} is held already, by {meant.hold} since {clock(meant.hold_at, context.now)}."
        return about(session, words, f"unhold {session.id}")
    # Asked of the forge already: only a look says whether it came through.
    begun = any(intent.key == "merge" for intent in session.intents)
    words = " A merge has begun; whether it came through is looked up." if begun else ""
    return about(session, f"🛑 Nobody merges {session.id} until it is unheld.{words}", f"unhold {session.id}")


ACTION = Action(
    verb="hold",
    summary="nobody merges this session's pull request, no rule either; a merge that waits is taken back",
    role=Role.APPROVER,
    inverse="unhold",
    run=run,
    arguments=(SESSION,),
    examples=("hold demo-1",),
)
