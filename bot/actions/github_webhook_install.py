"""`github webhook install`: let GitHub tell us what happens in a project's repository."""

from __future__ import annotations

from bot.actions.action import Action, Argument, Context, Kind, Role
from bot.actions.target import project_of
from bot.chat.message import Field, Message
from bot.chat.request import Request


async def run(context: Context, request: Request) -> Message:
    """Make our hook there or bring it up to date; hooks of others are left alone."""
    from orchestrator.services import forge_hooks

    project = project_of(context, request, "project")
    rotate = request.flag("rotate")
    hook = await forge_hooks.install(context.core, project, rotate=rotate, by=request.who)
    again = "The secret is new. Install the hooks of your other projects again: the old one counts until the next change."
    return Message(
        title=f"🪝 GitHub tells us what happens in {project}.",
        lines=(again,) if rotate else (),
        fields=(Field("address", hook.url), Field("events", str(len(hook.events)))),
        next_steps=(f"github webhook test {project}",),
        data={"project": project, "id": hook.id, "url": hook.url, "events": list(hook.events)},
    )


ACTION = Action(
    verb="github webhook install",
    summary="make or update our webhook on a project's repository, with our secret",
    role=Role.ADMIN,
    inverse="github webhook rm",
    run=run,
    arguments=(
        Argument(
            name="project", help="a project; may be left out where there is only one", kind=Kind.PROJECT
        ),
        Argument(name="rotate", help="sign with a new secret from now on", kind=Kind.FLAG),
    ),
    examples=("github webhook install demo", "github webhook install --rotate"),
)
