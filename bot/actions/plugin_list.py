"""`plugin list`: which plugins there are, and what they lack here."""

from __future__ import annotations

from bot.actions.action import Access, Action, Context, Role, Scope
from bot.chat.message import Json, Message, Table
from bot.chat.request import Request


async def run(context: Context, request: Request) -> Message:
    """By slot."""
    from orchestrator.services import plugins

    del request
    found = await plugins.listed(context.core)
    rows = tuple(
        (
            p.slot,
            p.name,
            "in use" if p.used else "",
            "cannot be loaded" if p.trouble else ", ".join(p.missing),
            p.summary,
        )
        for p in found
    )
    data: list[Json] = [
        {
            "slot": p.slot,
            "name": p.name,
            "used": p.used,
            "missing": list(p.missing),
            "trouble": p.trouble,
            "summary": p.summary,
        }
        for p in found
    ]
    return Message(
        title=f"{len(found)} plugins",
        table=Table(("slot", "plugin", "", "missing here", "what it is"), rows, wrap=True),
        next_steps=("plugin create <slot> <name>",),
        data={"plugins": data},
    )


ACTION = Action(
    verb="plugin list",
    aliases=("plugin ls", "plugins"),
    summary="list the plugins, which are in use, and what they lack here",
    role=Role.VIEWER,
    scope=Scope.SEEN,
    access=Access.READS,
    run=run,
    examples=("plugin list",),
)
