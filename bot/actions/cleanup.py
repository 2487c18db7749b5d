"""`cleanup`: end the sessions that have nothing left to do."""

from __future__ import annotations

from bot.actions import facts
from bot.actions.action import Action, Argument, Confirmation, Context, Kind, Role
from bot.actions.target import spelled
from bot.chat.message import Field, Json, Message, Table
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
    verb = "would end" if dry else "ends" if len(items) == 1 else "end"
    return Message(
        title=f"{len(items)} session{'' if len(items) == 1 else 's'} {verb}."
        if items
        else "Nothing to clean up.",
        table=Table(("session", "reason"), rows, wrap=True) if rows else None,
        next_steps=("cleanup",) if dry and items else (),
        data={"items": data, "dry_run": dry},
    )


async def preview(context: Context, request: Request) -> Message:
    """Asked only where a pull request is open: for the rest there is nothing to lose."""
    from orchestrator.services import cleanup

    named = request.text("project") or request.project
    project = spelled(context, named) if named else None
    items = await cleanup.cleanup(context.core, project=project, dry_run=True, by=request.who)
    risky = [item.session for item in items if item.open_change]
    if request.flag("dry-run") or not risky:
        return Message(title="Nothing that is open ends.")
    rows = tuple(
        Field(item.session, f"{item.reason}{'; its pull request is open' if item.open_change else ''}")
        for item in items
    )
    return facts.plain(request, f"End {', '.join(item.session for item in items)}?", *rows)


async def _project(context: Context, request: Request) -> str | None:
    named = request.text("project") or request.project
    return spelled(context, named) if named else None


ACTION = Action(
    verb="cleanup",
    summary="end the sessions that have nothing left to do; unsaved work is rescued first",
    role=Role.OPERATOR,
    project=_project,
    confirmation=Confirmation.RISK,
    preview=preview,
    inverse="restore",
    run=run,
    arguments=(
        Argument(name="project", help="of one project only", kind=Kind.PROJECT),
        Argument(name="dry-run", help="only say which", kind=Kind.FLAG),
    ),
    examples=("cleanup --dry-run", "cleanup --yes"),
)
