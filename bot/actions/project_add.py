"""`project add`: a repository more, while everything runs."""

from __future__ import annotations

from pathlib import Path

from bot.actions.action import Action, Argument, Context, Kind, Role, Scope
from bot.chat.message import Field, Message
from bot.chat.request import Request, Surface


async def run(context: Context, request: Request) -> Message:
    """Written into the configuration file, which is loaded again."""
    from orchestrator.services import projects
    from orchestrator.services.new_project import Wishes

    wishes = Wishes(
        **{name: request.text(name) for name in ("name", "agent", "tests", "branch", "repo", "prefix")}
    )
    proposal = await projects.propose(context.core, Path(request.text("path")), wishes)
    row = await projects.add(context.core, proposal.entry, by=request.who)
    tests = ", ".join(proposal.entry.checks) or "none; `--tests` names a command"
    return Message(
        title=f"📁 {row.id} is a project: {row.path}, branch {row.default_branch}.",
        lines=proposal.notes,
        fields=(Field("agent", row.agent), Field("checks", tests)),
        next_steps=(f"spawn {row.id} <issue>", "project ls"),
        data={
            "id": row.id,
            "path": str(row.path),
            "default_branch": row.default_branch,
            "prefix": row.prefix,
            "agent": row.agent,
            "checks": list(proposal.entry.checks),
        },
    )


ACTION = Action(
    verb="project add",
    summary="look after a repository more; nothing is restarted",
    role=Role.ADMIN,
    scope=Scope.FLEET,
    surfaces=frozenset({Surface.SHELL, Surface.API}),
    inverse="project rm",
    run=run,
    arguments=(
        Argument(name="path", help="the repository's folder", kind=Kind.PATH, required=True),
        Argument(name="name", help="its name here; the folder's unless told", option=True),
        Argument(name="agent", help="the agent to use; one whose program is here unless told", option=True),
        Argument(name="tests", help="the command that checks a change; a guess unless told", option=True),
        Argument(name="branch", help="the branch that work starts from", option=True),
        Argument(name="repo", help="owner/name on the forge", option=True),
        Argument(name="prefix", help="what session ids begin with", option=True),
    ),
    examples=("project add ~/src/app --name app", 'project add ~/src/app --tests "make test"'),
)
