"""`rules`: what agents may run, by whose word."""

from __future__ import annotations

from bot.actions.action import Access, Action, Argument, Context, Kind, Role, Scope
from bot.actions.target import spelled
from bot.chat.message import Json, Message, Table
from bot.chat.render import duration
from bot.chat.request import Request
from orchestrator.domain.policy import shown

CONFIGURED = "configuration"


async def run(context: Context, request: Request) -> Message:
    """Those of the configuration first, then what people added."""
    from orchestrator.services import rules

    named = request.text("project") or request.project
    listed = await rules.listed(context.core, project=spelled(context, named) if named else None)
    found = [one for one in listed if one.project is None or context.sees(one.project)]
    rows = tuple(
        (
            one.id or "-",
            shown(one.rule, 120),
            one.scope,
            one.by or CONFIGURED,
            duration(context.now - one.at) if one.id else "-",
        )
        for one in found
    )
    kept = [one for one in found if one.id]
    data: list[Json] = [
        {"id": one.id, "rule": shown(one.rule, 2000), "scope": one.scope, "by": one.by, "at": one.at}
        for one in found
    ]
    return Message(
        title=f"{len(found)} rule{'' if len(found) == 1 else 's'} for agents",
        table=Table(("id", "rule", "where", "by", "age"), rows) if rows else None,
        next_steps=(f"rules rm {kept[0].id}",) if kept else (),
        data={"rules": data},
    )


ACTION = Action(
    verb="rules",
    aliases=("policy",),
    summary="list what agents may run: the configuration's rules, and what people allowed always",
    role=Role.VIEWER,
    scope=Scope.SEEN,
    access=Access.READS,
    run=run,
    arguments=(Argument(name="project", help="of one project only", kind=Kind.PROJECT),),
    examples=("rules", "rules demo"),
)
