"""`approve`: approve a pull request at the head that was shown."""

from __future__ import annotations

from bot.actions import facts
from bot.actions.action import Action, Argument, Confirmation, Context, Kind, Role
from bot.actions.target import SESSION, about, session_of
from bot.chat.message import Message
from bot.chat.request import Request
from orchestrator.domain.ids import short_sha
from orchestrator.domain.person import Actor
from orchestrator.domain.session import Session
from orchestrator.domain.when import clock

HEAD = Argument(
    name="head", help="the head commit that you saw; a newer push disarms it", kind=Kind.HEAD, option=True
)

LATER = "The forge does not answer now; it is carried there as soon as it does."


async def run(context: Context, request: Request) -> Message:
    """Kept as ours first, then carried to the forge."""
    from orchestrator.services import approve

    meant = await session_of(context, request)
    head = request.text("head")
    session = await approve.approve(context.core, meant.id, head=head, by=request.who)
    later = f"👍 {session.id} is approved here at {short_sha(head)}. {LATER}"
    words = (
        (later if approve.waits(session, request.who) else "")
        or already_approved(meant, head, request.who)
        or f"👍 {session.id} is approved at {short_sha(head)}{_how(session, head, request.who)}."
    )
    return about(session, words, f"merge {session.id}")


def _how(session: Session, head: str, who: Actor) -> str:
    """How it reached a forge that knows people."""
    given = session.change.approvals if session.change else ()
    own = (one for one in given if one.by.name == who.name and one.head.startswith(head.lower()))
    return next((f" {one.carried}" for one in own if one.carried), "")


def already_approved(before: Session, head: str, who: Actor) -> str:
    """What a second click is told: since when it was so. Empty for the first."""
    given = before.change.approvals if before.change else ()
    for one in given:
        if one.by.name == who.name and one.head.startswith(head.lower()):
            return f"👍 {before.id} is approved already, by {one.by} at {clock(one.at)}."
    return ""


ACTION = Action(
    verb="approve",
    aliases=("lgtm",),
    summary="approve a session's pull request at the head that you saw",
    role=Role.APPROVER,
    confirmation=Confirmation.HEAD,
    preview=facts.of_pull_request,
    inverse="request-changes",
    run=run,
    arguments=(SESSION, HEAD),
    examples=("approve demo-1", "approve demo-1 --head 0123456789abcdef --yes"),
)
