"""`issues`: the open issues of a project."""

from __future__ import annotations

from collections.abc import Sequence

from bot.actions.action import Access, Action, Argument, Context, Kind, Role
from bot.actions.target import is_project, project_of, spelled
from bot.chat.message import Json, Message, Table
from bot.chat.request import Request
from orchestrator.domain.issue import Issue, IssueState
from orchestrator.domain.outside_text import one_line


async def run(context: Context, request: Request) -> Message:
    """With words those that hold them."""
    from orchestrator.services import issues

    project, words = _asked(context, request)
    found = await issues.listed(context.core, project, words)
    rows = tuple((issue.ref, issue.state.value, one_line(issue.title, 80)) for issue in found)
    data: list[Json] = [
        {"ref": issue.ref, "title": issue.title, "state": issue.state.value, "url": issue.url}
        for issue in found
    ]
    return Message(
        title=title(project, len(found), one_line(words, 80)),
        table=Table(("issue", "state", "title"), rows) if rows else None,
        next_steps=next_steps(project, found, words),
        data={"project": project, "issues": data},
    )


def next_steps(project: str, found: Sequence[Issue], words: str) -> tuple[str, ...]:
    """The first issue that nobody works on yet; all issues where none has the words."""
    if not found:
        return (f"issues {project}",) if words else ()
    free = next((issue for issue in found if issue.state is IssueState.OPEN), None)
    return (f"spawn {project} {free.ref}",) if free is not None else ("status",)


def _asked(context: Context, request: Request) -> tuple[str, str]:
    """The project, and the words that are looked for."""
    first, words = request.text("place"), request.text("words")
    named = request.text("project")
    if (
        first
        and not is_project(context, first)
        and (named or request.project or words or not _several(context))
    ):
        first, words = "", f"{first} {words}".strip()
    project = spelled(context, first or named) if first or named else project_of(context, request, "")
    return project, words


async def _project(context: Context, request: Request) -> str:
    return _asked(context, request)[0]


def title(project: str, count: int, words: str) -> str:
    """What was looked for, and how much of it there is."""
    if not words:
        return f"{count} open issue{'' if count == 1 else 's'} of {project}"
    if not count:
        return f"No open issue of {project} has {words!r} in it."
    return f"{count} open issue{'' if count == 1 else 's'} of {project} with {words!r} in {'it' if count == 1 else 'them'}"


def _several(context: Context) -> bool:
    return len(context.core.settings.now.project_ids) > 1


ACTION = Action(
    verb="issues",
    summary="list a project's open issues",
    role=Role.VIEWER,
    project=_project,
    access=Access.READS,
    run=run,
    arguments=(
        Argument(name="place", help="a project; may be left out where there is only one", kind=Kind.PROJECT),
        Argument(name="words", help="words that the issue holds", kind=Kind.TEXT),
        Argument(name="project", help="a project, never words", kind=Kind.PROJECT, option=True),
    ),
    examples=("issues demo", "issues demo greeting", "issues --project demo"),
)
