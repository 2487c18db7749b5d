"""`merge`: merge a pull request at the head that was shown."""

from __future__ import annotations

from bot.actions import facts
from bot.actions.action import Action, Confirmation, Context, Role
from bot.actions.approve import HEAD
from bot.actions.target import SESSION, about, session_of
from bot.chat.message import Message
from bot.chat.request import Request
from orchestrator.domain.ids import short_sha


async def run(context: Context, request: Request) -> Message:
    """Answers once the intent is kept; the ring merges, and looks first whether it happened already."""
    from orchestrator.services import merge

    meant = await session_of(context, request)
    head = request.text("head")
    session = await merge.merge(context.core, meant.id, head=head, by=request.who)
    return about(session, f"🚚 {session.id} is being merged at {short_sha(head)}.", f"status {session.id}")


ACTION = Action(
    verb="merge",
    summary="merge a session's pull request at the head that you saw",
    role=Role.APPROVER,
    confirmation=Confirmation.HEAD,
    preview=facts.of_merge,
    run=run,
    arguments=(SESSION, HEAD),
    examples=("merge demo-1", "merge demo-1 --head 0123456789abcdef --yes"),
)
