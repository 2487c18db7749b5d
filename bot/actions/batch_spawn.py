"""`batch-spawn`: start a session for each of several issues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.actions.action import Action, Argument, Context, Kind, Role
from bot.actions.grammar import is_reference
from bot.actions.target import is_project, project_of, spelled
from bot.chat.message import Json, Message, Table
from bot.chat.request import Request
from bot.chat.view import session_data
from orchestrator.domain.event import Level

if TYPE_CHECKING:
    from orchestrator.services.spawn import SpawnOutcome


async def run(context: Context, request: Request) -> Message:
    """One row an issue; one that cannot be started does not stop the others."""
    from orchestrator.services import spawn

    name, issues = _asked(context, request)
    outcomes = await spawn.spawn_batch(
        context.core, name, issues, by=request.who, agent=request.text("agent")
    )
    rows = tuple((o.issue, o.session.id if o.session else "", _outcome(o)) for o in outcomes)
    failed = sum(outcome.error is not None for outcome in outcomes)
    started = len(outcomes) - failed
    data: list[Json] = [
        {
            "issue": outcome.issue,
            "session": session_data(outcome.session) if outcome.session else None,
            "error": outcome.error.code if outcome.error else "",
        }
        for outcome in outcomes
    ]
    return Message(
        title=_title(started, len(outcomes)),
        table=Table(("issue", "session", "outcome"), rows, wrap=True),
        level=Level.WARNING if failed else Level.INFO,
        next_steps=("status",) if started else (f"issues {name}",),
        data={"outcomes": data, "failed": failed > 0},
    )


def _outcome(outcome: SpawnOutcome) -> str:
    session = outcome.session
    if session is not None and session.held.task_waits:
        return f"waits: its text is an outsider's; `ao held {session.id}` shows it"
    return str(outcome.error or "starts")


def _asked(context: Context, request: Request) -> tuple[str, tuple[str, ...]]:
    """The project, and the issues."""
    project, issues = request.text("project"), request.many("issues")
    if is_reference(project) and not is_project(context, project):
        project, issues = "", (project, *issues)
    return spelled(context, project) if project else project_of(context, request, ""), issues


async def _project(context: Context, request: Request) -> str:
    return _asked(context, request)[0]


def _title(started: int, asked: int) -> str:
    sessions = f"{asked} session{'' if asked == 1 else 's'}"
    if not started:
        return f"None of {sessions} starts." if asked > 1 else "The session does not start."
    return (
        f"{started} of {sessions} start{'s' if started == 1 else ''}."
        if started < asked
        else (f"{sessions} start{'s' if started == 1 else ''}.")
    )


ACTION = Action(
    verb="batch-spawn",
    aliases=("spawn-batch", "batch"),
    summary="start a session for each of several issues",
    role=Role.OPERATOR,
    project=_project,
    inverse="kill",
    run=run,
    arguments=(
        Argument(
            name="project", help="a project; may be left out where there is only one", kind=Kind.PROJECT
        ),
        Argument(
            name="issues", help="issues, with spaces or commas between them", kind=Kind.MANY, required=True
        ),
        Argument(name="agent", help="another agent than the project's", option=True),
    ),
    examples=("batch-spawn demo 1 2 3",),
)
