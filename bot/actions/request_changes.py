"""`request-changes`: a review that asks for changes, which goes to the agent."""

from __future__ import annotations

from bot.actions import facts
from bot.actions.action import Action, Argument, Confirmation, Context, Kind, Role
from bot.actions.approve import HEAD, LATER
from bot.actions.target import SESSION, about, session_of
from bot.chat.message import Message
from bot.chat.request import Request
from orchestrator.domain.ids import short_sha


async def run(context: Context, request: Request) -> Message:
    """Bound to the head that was shown, like an approval."""
    from orchestrator.services import approve

    meant = await session_of(context, request)
    head = request.text("head")
    session = await approve.request_changes(
        context.core, meant.id, head=head, text=request.text("text"), by=request.who
    )
    words = f"📝 {session.id} is asked for changes at {short_sha(head)}."
    if approve.waits(session, request.who):
        words = f"{words} {LATER}"
    return about(session, words, f"status {session.id}")


ACTION = Action(
    verb="request-changes",
    aliases=("reject",),
    summary="ask for changes to a session's pull request; the agent is told",
    role=Role.APPROVER,
    confirmation=Confirmation.HEAD,
    preview=facts.of_pull_request,
    inverse="approve",
    run=run,
    arguments=(
        SESSION,
        Argument(
            name="text",
            help="what should change; `path:line: words` for one line",
            kind=Kind.TEXT,
            required=True,
        ),
        HEAD,
    ),
    examples=("request-changes demo-1 name the parameter",),
)
