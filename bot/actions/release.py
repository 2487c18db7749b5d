"""`release`: let a push that is held go out, at the head that was shown."""

from __future__ import annotations

from bot.actions import facts
from bot.actions.action import Action, Confirmation, Context, Role
from bot.actions.approve import HEAD
from bot.actions.target import SESSION, about, session_of
from bot.chat.message import Message
from bot.chat.request import Request
from orchestrator.domain.ids import short_sha


async def run(context: Context, request: Request) -> Message:
    """Kept now; the ring brings it out, and opens the pull request that was asked for with it."""
    from orchestrator.services import held

    meant = await session_of(context, request)
    head = request.text("head")
    session = await held.release_push(context.core, meant.id, head=head, by=request.who)
    return about(
        session, f"✅ The push of {session.id} at {short_sha(head)} is released.", f"status {session.id}"
    )


ACTION = Action(
    verb="release",
    summary="let a push that is held go out, or one that the forge refused again, at the head that you saw",
    role=Role.APPROVER,
    confirmation=Confirmation.HEAD,
    preview=facts.of_held_push,
    inverse="send-back",
    run=run,
    arguments=(SESSION, HEAD),
    examples=("release demo-1", "release demo-1 --head 0123456789abcdef --yes"),
)
