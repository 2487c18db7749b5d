"""`people rm`: take somebody's role in a project away, or all of them."""

from __future__ import annotations

from bot.actions.action import Action, Argument, Context, Kind, Role, Scope
from bot.actions.people_add import PERSON
from bot.actions.target import spelled
from bot.chat.message import Message
from bot.chat.request import Request


async def run(context: Context, request: Request) -> Message:
    """Their approvals do not count any more, merges of theirs that wait are refused, and their browsers are logged out."""
    from orchestrator.services import people

    named = request.text("project")
    project = spelled(context, named) if named else ""
    who = people.meant(request.text("person"))
    left = await people.remove(context.core, who, project=project, by=request.who)
    what = f"has no role of their own in {project} any more" if project else "is not known any more"
    stays = context.core.settings.now.people.by_handle(left.handle)
    lines = (f"What {context.core.settings.path} says of {left.handle} stays.",) if stays else ()
    if not project and not stays and any(t.person == left.handle for t in context.core.store.tokens.all):
        lines = ("Their personal tokens count no more.",)
    return Message(
        title=f"👤 {left.handle} {what}."
        if project or not stays
        else f"👤 {left.handle}: what was added is gone.",
        lines=lines,
        next_steps=(f"people add {left.handle} <role>",),
        data={"name": left.handle, "project": project},
    )


ACTION = Action(
    verb="people rm",
    aliases=("people remove",),
    summary="take somebody away, or their role in one project",
    role=Role.ADMIN,
    scope=Scope.FLEET,
    owners=True,
    inverse="people add",
    run=run,
    arguments=(
        PERSON,
        Argument(name="project", help="their role in this project only", kind=Kind.PROJECT, option=True),
    ),
    examples=("people rm @ada", "people rm ada --project demo"),
)
