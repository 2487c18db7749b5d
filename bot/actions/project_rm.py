"""`project rm`: take a project out of the configuration."""

from __future__ import annotations

from bot.actions import facts
from bot.actions.action import Action, Argument, Confirmation, Context, Kind, Role, Scope
from bot.actions.target import spelled
from bot.chat.message import Field, Message
from bot.chat.request import Request, Surface


async def preview(context: Context, request: Request) -> Message:
    """What stays and what goes."""
    project = context.core.settings.now.project(spelled(context, request.text("project")))
    return facts.plain(
        request,
        f"Take {project.id} out of the configuration?",
        Field("repository", f"{project.path} stays as it is"),
        Field("sessions", f"{len(context.core.fleet.live(project.id))} live (refused unless 0)"),
    )


async def run(context: Context, request: Request) -> Message:
    """Its repository and what was kept of its sessions stay."""
    from orchestrator.services import projects

    name = spelled(context, request.text("project"))
    await projects.remove(context.core, name, by=request.who)
    return Message(title=f"{name} is no project any more; its repository is as it was.", data={"id": name})


ACTION = Action(
    verb="project rm",
    aliases=("project remove",),
    summary="stop looking after a repository; its files stay",
    role=Role.ADMIN,
    scope=Scope.FLEET,
    surfaces=frozenset({Surface.SHELL, Surface.API}),
    confirmation=Confirmation.FACTS,
    preview=preview,
    inverse="project add",
    run=run,
    arguments=(Argument(name="project", help="the project", kind=Kind.PROJECT, required=True),),
    examples=("project rm app",),
)
