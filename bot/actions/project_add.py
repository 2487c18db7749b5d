"""`project add`: a repository more, while everything runs."""

from __future__ import annotations

from pathlib import Path

from bot.actions.action import Action, Argument, Context, Kind, Role
from bot.chat.message import Message
from bot.chat.request import Request, Surface


async def run(context: Context, request: Request) -> Message:
    """Written into the configuration file, which is loaded again."""
    from orchestrator.services import projects
    from orchestrator.settings.project_edit import NewProject
    from orchestrator.settings.shapes import id_from_folder

    path = Path(request.text("path"))
    entry = NewProject(
        id=request.text("name") or id_from_folder(path),
        path=str(path),
        default_branch=request.text("branch"),
        repo=request.text("repo"),
        session_prefix=request.text("prefix"),
    )
    row = await projects.add(context.core, entry, by=request.who)
    return Message(
        title=f"📁 {row.id} is a project: {row.path}, branch {row.default_branch}.",
        next_steps=(f"spawn {row.id} <issue>", "project ls"),
        data={
            "id": row.id,
            "path": str(row.path),
            "default_branch": row.default_branch,
            "prefix": row.prefix,
        },
    )


ACTION = Action(
    verb="project add",
    summary="look after a repository more; nothing is restarted",
    role=Role.ADMIN,
    surfaces=frozenset({Surface.SHELL, Surface.API}),
    inverse="project rm",
    run=run,
    arguments=(
        Argument(name="path", help="the repository's folder", kind=Kind.PATH, required=True),
        Argument(name="name", help="its name here; the folder's unless told", option=True),
        Argument(name="branch", help="the branch that work starts from", option=True),
        Argument(name="repo", help="owner/name on the forge", option=True),
        Argument(name="prefix", help="what session ids begin with", option=True),
    ),
    examples=("project add ~/src/app --name app",),
)
