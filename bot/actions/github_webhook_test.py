"""`github webhook test`: let GitHub send a delivery, and see whether it arrives."""

from __future__ import annotations

from bot.actions.action import Action, Argument, Context, Kind, Role
from bot.actions.target import project_of
from bot.chat.message import Message
from bot.chat.request import Request


async def run(context: Context, request: Request) -> Message:
    """A ping, as GitHub calls it; waits until it is here."""
    from orchestrator.services import forge_hooks

    project = project_of(context, request, "project")
    seconds = await forge_hooks.ping(context.core, project)
    return Message(
        title=f"🪝 A delivery for {project} came {seconds:.1f} s after it was asked for.",
        data={"project": project, "seconds": seconds},
    )


ACTION = Action(
    verb="github webhook test",
    summary="let GitHub send a delivery, and wait until it is here",
    role=Role.ADMIN,
    run=run,
    arguments=(
        Argument(
            name="project", help="a project; may be left out where there is only one", kind=Kind.PROJECT
        ),
    ),
    examples=("github webhook test demo",),
)
