"""`rules rm`: take back what somebody allowed always."""

from __future__ import annotations

from bot.actions.action import Action, Argument, Context, Role
from bot.chat.message import Message
from bot.chat.request import Request
from orchestrator.domain.policy import KeptRule, shown


async def run(context: Context, request: Request) -> Message:
    """People are asked again from now on; the audit log keeps who did it."""
    from orchestrator.services import rules

    dropped = await rules.revoke(context.core, request.text("id").lower(), by=request.who)
    words = (
        f"allow {dropped.rule}" if isinstance(dropped, KeptRule) else f"{dropped.dialog}: {dropped.answer}"
    )
    return Message(title=f"🗑️ {shown(words)} does not hold any more.", data={"id": dropped.id})


async def _project(context: Context, request: Request) -> str | None:
    from orchestrator.services import rules

    return rules.project_of(context.core, request.text("id").lower()) or None


ACTION = Action(
    verb="rules rm",
    aliases=("rules remove", "policy rm"),
    summary="take back what somebody allowed always, or answered for all sessions",
    role=Role.OPERATOR,
    project=_project,
    run=run,
    arguments=(Argument(name="id", help="its id in `rules`", required=True),),
    examples=("rules rm r1a2b3c4",),
)
