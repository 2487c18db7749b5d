"""`cleanup`: end the sessions that have nothing left to do."""

from __future__ import annotations

from bot.actions.action import Action, Argument, Context, Kind, Role
from bot.actions.target import spelled
from bot.chat.message import Json, Message, Table
from bot.chat.request import Request


async def run(context: Context, request: Request) -> Message:
    """With `--dry-run` it only says which."""
    from orchestrator.services import cleanup

    named = request.text("project") or request.project
    dry = request.flag("dry-run")
    items = await cleanup.cleanup(
        context.core, project=spelled(context, named) if named else None, dry_run=dry, by=request.who
    )
    rows = tuple((item.session, item.reason) for item in items)
    data: list[Json] = [{"session": item.session, "reason": item.reason, "done": item.done} for item in items]
    verb = "would end" if dry else "end"
    return Message(
        title=f"{len(items)} session{'' if len(items) == 1 else 's'} {verb}."
        if items
        else "Nothing to clean up.",
        table=Table(("session", "reason"), rows) if rows else None,
        next_steps=("cleanup",) if dry and items else (),
        data={"items": data, "dry_run": dry},
    )


ACTION = Action(
    verb="cleanup",
    summary="end the sessions that have nothing left to do; unsaved work is rescued first",
    role=Role.OPERATOR,
    inverse="restore",
    run=run,
    arguments=(
        Argument(name="project", help="of one project only", kind=Kind.PROJECT),
        Argument(name="dry-run", help="only say which", kind=Kind.FLAG),
    ),
    examples=("cleanup --dry-run",),
)
