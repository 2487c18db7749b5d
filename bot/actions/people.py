"""`people`: who is known, who they are on each surface, and what they may do."""

from __future__ import annotations

from collections.abc import Mapping

from bot.actions.action import Access, Action, Context, Role, Scope
from bot.chat.message import Json, Message, Table
from bot.chat.request import Request
from orchestrator.domain.person import ActorKind
from orchestrator.domain.rights import ALL_PROJECTS, Person


async def run(context: Context, request: Request) -> Message:
    """Roles in projects that who asks does not see are left out. Nobody yet: the owner is shown the code."""
    people = context.core.settings.people
    if people.empty:
        return _nobody(context, request)
    configured = context.core.settings.now.people
    rows, data = [], list[Json]()
    for person in people.persons:
        roles = {
            where: role.value
            for where, role in person.roles.items()
            if where == ALL_PROJECTS or context.sees(where)
        }
        source = "configuration" if configured.by_handle(person.handle) else "added"
        rows.append((person.handle, _roles(roles), _ids(person), source))
        seen: Json = {
            "name": person.handle,
            "roles": dict[str, Json](roles),
            "ids": dict[str, Json](person.ids),
            "owner": person.owner,
            "source": source,
        }
        data.append(seen)
    return Message(
        title=f"{len(rows)} {'person' if len(rows) == 1 else 'people'}",
        table=Table(("who", "may", "is", "from"), tuple(rows), wrap=True),
        next_steps=("people add <person> <role>",),
        data={"people": data},
    )


def _nobody(context: Context, request: Request) -> Message:
    from orchestrator.services import people

    lines = ["The owner of this machine may do everything; everybody in a chat is refused."]
    code = (
        people.pairing_code(context.core) if request.who.kind is ActorKind.OWNER and _serves(context) else ""
    )
    if code:
        lines.append(f"Whoever types `pair {code}` there within 15 minutes is the first admin.")
    return Message(
        title="Nobody is known yet.",
        lines=tuple(lines),
        next_steps=("people add <person> admin --owner",),
        data={"people": [], "pairing_code": code},
    )


def _serves(context: Context) -> bool:
    """A code of another process than `ao start` would pair nobody."""
    return context.core.serving.is_set()


def _roles(roles: Mapping[str, str]) -> str:
    shown = [role if where == ALL_PROJECTS else f"{role} in {where}" for where, role in roles.items()]
    return ", ".join(shown) or "nothing"


def _ids(person: Person) -> str:
    shown = [f"{identity} in {surface}" for surface, identity in person.ids.items()]
    return ", ".join([*shown, *(["owner of this machine"] if person.owner else [])])


ACTION = Action(
    verb="people",
    aliases=("people ls", "people list", "who"),
    summary="list who is known and what they may do",
    role=Role.VIEWER,
    scope=Scope.SEEN,
    access=Access.READS,
    run=run,
    examples=("people",),
)
