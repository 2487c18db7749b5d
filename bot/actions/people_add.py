"""`people add`: give somebody a role."""

from __future__ import annotations

from bot.actions.action import Action, Argument, Context, Kind, Role, Scope
from bot.actions.target import spelled
from bot.chat.message import Message
from bot.chat.request import Request
from orchestrator.domain.rights import ALL_PROJECTS

PERSON = Argument(
    name="person", help="somebody: @name, or a mention in a chat", kind=Kind.PERSON, required=True
)


async def run(context: Context, request: Request) -> Message:
    """Somebody new is known from now on; somebody known has one more role, or another."""
    from orchestrator.services import people

    project = request.text("project")
    given = people.Given(
        who=people.meant(request.text("person")),
        role=Role(request.text("role")),
        project=spelled(context, project) if project else "",
        name=request.text("name"),
        owner=request.flag("owner"),
    )
    person = await people.add(context.core, given, by=request.who)
    where = f"in {given.project}" if given.project and given.project != ALL_PROJECTS else "in all projects"
    lines = []
    if not person.ids:
        lines.append(f"Nobody is {person.handle} in a chat yet: add them there by a mention, with `--name`.")
    if context.core.settings.people.owner_person is None:
        lines.append(
            "Whoever types in this machine's shell only looks on now, until one of them is its `--owner`."
        )
    option = f" --project {given.project}" if where != "in all projects" else ""
    return Message(
        title=f"👤 {person.handle} is {given.role.value} {where}.",
        lines=tuple(lines),
        next_steps=(f"people rm {person.handle}{option}",),
        data={"name": person.handle, "role": given.role.value, "project": given.project},
    )


ACTION = Action(
    verb="people add",
    summary="give somebody a role, in all projects or in one",
    role=Role.ADMIN,
    scope=Scope.FLEET,
    owners=True,
    inverse="people rm",
    run=run,
    arguments=(
        PERSON,
        Argument(name="role", help="what they may do", choices=tuple(Role), required=True),
        Argument(name="project", help="in this project only", kind=Kind.PROJECT, option=True),
        Argument(name="name", help="what they are called here; also who of those known it is", option=True),
        Argument(name="owner", help="they are who types in this machine's shell", kind=Kind.FLAG),
    ),
    examples=("people add @ada operator", "people add ada approver --project demo"),
)
