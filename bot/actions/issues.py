"""`issues`: the open issues of a project."""

from __future__ import annotations

from bot.actions.action import Access, Action, Argument, Context, Kind, Role
from bot.actions.target import is_project, project_of, spelled
from bot.chat.message import Json, Message, Table
from bot.chat.request import Request
from orchestrator.domain.outside_text import one_line


async def run(context: Context, request: Request) -> Message:
    """With words those that hold them."""
    from orchestrator.services import issues

    first, words = request.text("project"), request.text("words")
    if first and not is_project(context, first) and (request.project or words or not _several(context)):
        first, words = "", f"{first} {words}".strip()
    project = spelled(context, first) if first else project_of(context, request, "")
    found = await issues.listed(context.core, project, words)
    rows = tuple((issue.ref, issue.state.value, one_line(issue.title, 80)) for issue in found)
    data: list[Json] = [
        {"ref": issue.ref, "title": issue.title, "state": issue.state.value, "url": issue.url}
        for issue in found
    ]
    return Message(
        title=f"{len(found)} open issue{'' if len(found) == 1 else 's'} of {project}",
        table=Table(("issue", "state", "title"), rows) if rows else None,
        next_steps=(f"spawn {project} {found[0].ref}",) if found else (),
        data={"project": project, "issues": data},
    )


def _several(context: Context) -> bool:
    return len(context.core.settings.now.project_ids) > 1


ACTION = Action(
    verb="issues",
    summary="list a project's open issues",
    role=Role.VIEWER,
    access=Access.READS,
    run=run,
    arguments=(
        Argument(
            name="project", help="a project; may be left out where there is only one", kind=Kind.PROJECT
        ),
        Argument(name="words", help="words that the issue holds", kind=Kind.TEXT),
    ),
    examples=("issues demo",),
)
