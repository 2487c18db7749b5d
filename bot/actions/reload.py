"""`reload`: take over the edited configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.actions.action import Action, Context, Role, Scope
from bot.chat.message import Message
from bot.chat.request import Request

if TYPE_CHECKING:
    from orchestrator.settings.effective import Settings


async def run(context: Context, request: Request) -> Message:
    """With errors the last good configuration stays."""
    from orchestrator.services import configuration

    del request
    before = context.core.settings.now
    settings = await configuration.reload(context.core)
    lines = _surfaces(before, settings) if context.core.serving.is_set() else ()
    names = ", ".join(settings.project_ids)
    return Message(
        title=f"🔄 Loaded {settings.main}: {names or 'no projects'}.",
        lines=lines,
        data={"file": str(settings.main), "notes": list(lines)},
    )


def _surfaces(before: Settings, now: Settings) -> tuple[str, ...]:
    """What becomes of surfaces whose keys are others."""
    lines = []
    if before.listener != now.listener:
        lines.append("Where the console and the API listen counts from the next `ao start` on.")
    former, slack = before.config.chat.slack, now.config.chat.slack
    if former != slack:
        if slack is None:
            lines.append("Slack is let go; its cards stay as they are there.")
        else:
            what = "begins" if former is None else "connects anew"
            lines.append(f"Slack {what} with these keys; `ao doctor` says how it stands.")
    return tuple(lines)


ACTION = Action(
    verb="reload",
    summary="take over the edited configuration; with errors the last good one stays",
    role=Role.ADMIN,
    scope=Scope.FLEET,
    owners=True,
    run=run,
    examples=("reload",),
)
