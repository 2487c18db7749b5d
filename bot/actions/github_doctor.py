"""`github doctor`: who we are there, what lacks and what is more than needed, what the rules ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.actions.action import Access, Action, Argument, Context, Kind, Role, Scope
from bot.actions.doctor import MARKS, sentence
from bot.actions.target import spelled
from bot.chat.message import Json, Message, Table
from bot.chat.request import Request
from orchestrator.domain.event import Level

if TYPE_CHECKING:
    from orchestrator.services.forge_doctor import Report


async def run(context: Context, request: Request) -> Message:
    """Looks at each project that is on a forge; changes nothing."""
    from orchestrator.services import forge_doctor

    named = request.text("project")
    meant = [context.core.settings.now.project(spelled(context, named))] if named else []
    projects = meant or [p for p in context.core.settings.own.projects() if context.sees(p.id)]
    reports = await forge_doctor.examine(context.core, projects)
    if not reports:
        where = f"{meant[0].id} is" if meant else "No project that you see is"
        return Message(
            title=f"{where}{' not' if meant else ''} on GitHub.",
            lines=(
                "`repo: owner/name`, or a checkout whose remote is there, puts one on it: docs/github.md.",
            ),
            data={"projects": []},
        )
    rows = tuple(
        (report.project, MARKS.get(one.level, one.level), one.subject, sentence(one.text, one.next_step))
        for report in reports
        for one in report.found
    )
    bad = sum(len(report.bad) for report in reports)
    failed = any(report.level == "failure" for report in reports)
    return Message(
        title=f"{bad} of {len(rows)} things need a look." if bad else "All is well on GitHub.",
        table=Table(("project", "", "what", "found"), rows, wrap=True),
        level=Level.ACTION if failed else Level.WARNING if bad else Level.INFO,
        data={"projects": [_data(report) for report in reports], "failed": failed},
    )


def _data(report: Report) -> Json:
    found: list[Json] = [
        {"level": one.level, "subject": one.subject, "text": one.text, "next_step": one.next_step}
        for one in report.found
    ]
    return {"project": report.project, "repo": report.repo, "level": report.level, "found": found}


ACTION = Action(
    verb="github doctor",
    summary="look whether all that projects need of GitHub is there, and nothing more",
    role=Role.VIEWER,
    scope=Scope.SEEN,
    access=Access.READS,
    run=run,
    arguments=(Argument(name="project", help="only this one", kind=Kind.PROJECT),),
    examples=("github doctor", "github doctor demo"),
)
