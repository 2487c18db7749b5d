"""`unhold`: a held session may be merged again."""

from __future__ import annotations

from bot.actions.action import Action, Context, Role
from bot.actions.target import SESSION, about, session_of
from bot.chat.message import Message
from bot.chat.request import Request


async def run(context: Context, request: Request) -> Message:
    """Repeatable."""
    from orchestrator.services import hold

    meant = await session_of(context, request)
    session = await hold.unhold(context.core, meant.id, by=request.who)
    if meant.hold is None:
        return about(session, f"{session.id} is not held.", f"hold {session.id}")
    return about(session, f"🟢 {session.id} may be merged again.", f"hold {session.id}")


ACTION = Action(
    verb="unhold",
    summary="a held session may be merged again",
    role=Role.APPROVER,
    inverse="hold",
    run=run,
    arguments=(SESSION,),
    examples=("unhold demo-1",),
)
