"""`config check`: what is wrong with a configuration, and what is not ready here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bot.actions.action import Access, Action, Argument, Context, Kind, Role, Scope
from bot.chat.message import Json, Message
from bot.chat.request import SHELL, Request
from orchestrator.domain.event import Level

if TYPE_CHECKING:
    from orchestrator.settings.loader import Loaded
    from orchestrator.settings.problems import Problem


async def run(context: Context, request: Request) -> Message:
    """All problems at once, each with its line. Only errors make it fail."""
    import asyncio

    return await asyncio.to_thread(_look, context, request)


def _look(context: Context, request: Request) -> Message:
    from orchestrator.services import configuration
    from orchestrator.services.trust import Trusted
    from orchestrator.settings.loader import load
    from orchestrator.settings.problems import errors
    from orchestrator.storage import last_run

    settings = context.bench.settings
    path = Path(request.text("file") or settings.path)
    bench, loaded = context.bench, load(path, settings.env)
    problems = configuration.problems(loaded, bench.registry, Trusted(bench.home))
    notes, steps = _notes(context, path, loaded)
    if path == last_run.configuration(bench.home):
        notes = ("It is the file that this home last ran with.", *notes)
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
    title = f"{path}: {_counted(problems)}"
    return Message(
        title=title if problems else f"{path} has no error." if notes else f"✅ {path} is right.",
        lines=(*(f"{p.grade.value}: {p}" for p in problems), *notes),
        level=Level.ACTION if wrong else Level.WARNING if problems or notes else Level.INFO,
        next_steps=steps,
        data={"file": str(path), "problems": rows, "notes": list(notes), "failed": wrong > 0},
    )


def _counted(problems: Sequence[Problem]) -> str:
    """`2 errors, 0 not ready here, 1 warning`; warnings only where there are some."""
    from orchestrator.settings.problems import Grade

    count = Counter(problem.grade for problem in problems)
    wrong, warned = count[Grade.ERROR], count[Grade.WARNING]
    words = [f"{wrong} error{'' if wrong == 1 else 's'}", f"{count[Grade.NOT_READY]} not ready here"]
    return ", ".join([*words, *([f"{warned} warning{'' if warned == 1 else 's'}"] if warned else [])])


def _notes(context: Context, path: Path, loaded: Loaded) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is no error and still keeps `ao start` from looking after anything, and what to do about it."""
    from orchestrator.services import trust

    if not loaded.files:
        # The last place of the usual search: nothing else was asked for, and nothing is there.
        return (), ("init",) if path == context.bench.home.config else ()
    if loaded.settings is None:
        return (), ()
    if not loaded.settings.project_ids:
        return ("no project in it yet: nothing is looked after",), ("project add <path>",)
    registry, trusted = context.bench.registry, trust.Trusted(context.bench.home)
    untrusted = trust.words(trust.missing(loaded.settings, registry, trusted))
    if not untrusted:
        return (), ()
    return tuple(f"not trusted yet: {row}" for row in untrusted), ("trust",)


ACTION = Action(
    verb="config check",
    aliases=("config validate",),
    summary="say what is wrong with a configuration, and what is not ready here",
    role=Role.ADMIN,
    scope=Scope.FLEET,
    access=Access.FILES,
    surfaces=SHELL,
    run=run,
    arguments=(Argument(name="file", help="another file than the one in use", kind=Kind.PATH),),
    examples=("config check", "config check agent-orchestrator.yaml"),
)
