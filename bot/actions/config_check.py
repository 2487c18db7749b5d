"""`config check`: what is wrong with a configuration, and what is not ready here."""

from __future__ import annotations

from pathlib import Path

from bot.actions.action import Access, Action, Argument, Context, Kind, Role
from bot.chat.message import Json, Message
from bot.chat.request import SHELL, Request
from orchestrator.domain.event import Level


async def run(context: Context, request: Request) -> Message:
    """All problems at once, each with its line. Only errors make it fail."""
    from orchestrator.services import configuration
    from orchestrator.services.trust import Trusted
    from orchestrator.settings.loader import load
    from orchestrator.settings.problems import errors
    from orchestrator.storage import last_run

    settings = context.bench.settings
    path = Path(request.text("file") or settings.path)
    bench = context.bench
    said = (
        ("It is the file that this home last ran with.",)
        if path == last_run.configuration(bench.home)
        else ()
    )
    problems = configuration.problems(load(path, settings.env), bench.registry, Trusted(bench.home))
    wrong = len(errors(problems))
    rows: list[Json] = [
        {
            "grade": p.grade.value,
            "message": p.message,
            "file": str(p.file),
            "line": p.line,
            "path": p.path,
            "nearest": p.nearest,
        }
        for p in problems
    ]
    title = f"{path}: {wrong} error{'' if wrong == 1 else 's'}, {len(problems) - wrong} not ready here"
    return Message(
        title=title if problems else f"✅ {path} is right.",
        lines=(*said, *(f"{p.grade.value}: {p}" for p in problems)),
        level=Level.ACTION if wrong else Level.WARNING if problems else Level.INFO,
        data={"file": str(path), "problems": rows, "failed": wrong > 0},
    )


ACTION = Action(
    verb="config check",
    aliases=("config validate",),
    summary="say what is wrong with a configuration, and what is not ready here",
    role=Role.ADMIN,
    access=Access.FILES,
    surfaces=SHELL,
    run=run,
    arguments=(Argument(name="file", help="another file than the one in use", kind=Kind.PATH),),
    examples=("config check", "config check agent-orchestrator.yaml"),
)
