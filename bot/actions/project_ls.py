"""`project ls`: the projects of this process."""

from __future__ import annotations

from bot.actions.action import Access, Action, Context, Role, Scope
from bot.chat.message import Json, Message, Table
from bot.chat.request import Request


async def run(context: Context, request: Request) -> Message:
    """In the file's order."""
    from orchestrator.services import projects

    del request
    found = [one for one in await projects.listed(context.core) if context.sees(one.id)]
    rows = tuple(
        (p.id, str(p.path), p.default_branch, p.agent, p.tracker, p.scm, str(p.sessions)) for p in found
    )
    data: list[Json] = [
        {
            "id": p.id,
            "name": p.name,
            "path": str(p.path),
            "default_branch": p.default_branch,
            "prefix": p.prefix,
            "agent": p.agent,
            "tracker": p.tracker,
            "scm": p.scm,
            "sessions": p.sessions,
        }
        for p in found
    ]
    return Message(
        title=f"{len(found)} project{'' if len(found) == 1 else 's'}",
        table=Table(("project", "path", "branch", "agent", "tracker", "scm", "sessions"), rows, cut=("path",))
        if rows
        else None,
        next_steps=("project add <path>",) if not found else (),
        data={"projects": data},
    )


ACTION = Action(
    verb="project ls",
    aliases=("project list", "projects"),
    summary="list the projects",
    role=Role.VIEWER,
    scope=Scope.SEEN,
    access=Access.READS,
    run=run,
    examples=("project ls",),
)
