"""`reload`: take over the edited configuration."""

from __future__ import annotations

from bot.actions.action import Action, Context, Role, Scope
from bot.chat.message import Message
from bot.chat.request import Request


async def run(context: Context, request: Request) -> Message:
    """With errors the last good configuration stays."""
    from orchestrator.services import configuration

    del request
    settings = await configuration.reload(context.core)
    names = ", ".join(settings.project_ids)
    return Message(
        title=f"🔄 Loaded {settings.main}: {names or 'no projects'}.", data={"file": str(settings.main)}
    )


ACTION = Action(
    verb="reload",
    summary="take over the edited configuration; with errors the last good one stays",
    role=Role.ADMIN,
    scope=Scope.FLEET,
    owners=True,
    run=run,
    examples=("reload",),
)
