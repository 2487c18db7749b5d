"""`github webhook rm`: take our webhook away from a project's repository."""

from __future__ import annotations

from bot.actions.action import Action, Argument, Context, Kind, Role
from bot.actions.target import project_of
from bot.chat.message import Message
from bot.chat.request import Request


async def run(context: Context, request: Request) -> Message:
    """Hooks of others are left alone; polling goes on."""
    from orchestrator.services import forge_hooks

    project = project_of(context, request, "project")
    hook = await forge_hooks.remove(context.core, project, by=request.who)
    return Message(
        title=f"🪝 Our webhook for {project} is gone; GitHub is asked every now and then instead.",
        next_steps=(f"github webhook install {project}",),
        data={"project": project, "id": hook.id, "url": hook.url},
    )


ACTION = Action(
    verb="github webhook rm",
    aliases=("github webhook remove",),
    summary="take our webhook away from a project's repository; polling goes on",
    role=Role.ADMIN,
    inverse="github webhook install",
    run=run,
    arguments=(
        Argument(
            name="project", help="a project; may be left out where there is only one", kind=Kind.PROJECT
        ),
    ),
    examples=("github webhook rm demo",),
)
