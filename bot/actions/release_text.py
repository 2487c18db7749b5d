"""`release-text`: let a text by an outsider through to a session's agent."""

from __future__ import annotations

from bot.actions.action import Action, Argument, Context, Role
from bot.actions.target import SESSION, about, session_of
from bot.chat.message import Message
from bot.chat.request import Request


async def run(context: Context, request: Request) -> Message:
    """Exactly the edit that was shown; an edited text has another id and is held again."""
    from orchestrator.services import held

    meant = await session_of(context, request)
    session = await held.release_text(context.core, meant.id, text=request.text("id"), by=request.who)
    return about(session, f"✅ The text is released to the agent of {session.id}.", f"status {session.id}")


ACTION = Action(
    verb="release-text",
    summary="let a text by somebody outside the project through to a session's agent, as it was shown",
    role=Role.OPERATOR,
    run=run,
    arguments=(
        SESSION,
        Argument(name="id", help="the text's own id, which `held` shows", required=True),
    ),
    examples=("release-text demo-1 t0123456789ab",),
)
