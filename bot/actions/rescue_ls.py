"""`rescue ls`: all saved work."""

from __future__ import annotations

from bot.actions.action import Access, Action, Argument, Context, Kind, Role, Scope
from bot.actions.target import spelled
from bot.chat.message import Json, Message, Table
from bot.chat.render import duration
from bot.chat.request import Request
from bot.chat.view import rescue_data


async def run(context: Context, request: Request) -> Message:
    """Newest first in each project."""
    from orchestrator.services import rescue

    named = request.text("project") or request.project
    kept = await rescue.ls(context.core, project=spelled(context, named) if named else None)
    found = [saved for saved in kept if context.sees(saved.project)]
    rows = tuple(
        (saved.rescue.ref, saved.session, duration(context.now - saved.rescue.at), saved.rescue.summary)
        for saved in found
    )
    data: list[Json] = [
        {"project": saved.project, "session": saved.session, "rescue": rescue_data(saved.rescue)}
        for saved in found
    ]
    return Message(
        title=f"{len(found)} piece{'' if len(found) == 1 else 's'} of saved work",
        table=Table(("ref", "session", "age", "what"), rows) if rows else None,
        next_steps=(f"rescue show {found[0].rescue.ref}",) if found else (),
        data={"rescues": data},
    )


ACTION = Action(
    verb="rescue ls",
    aliases=("rescue list", "rescues"),
    summary="list work that was saved before something was removed",
    role=Role.VIEWER,
    scope=Scope.SEEN,
    access=Access.READS,
    run=run,
    arguments=(Argument(name="project", help="of one project only", kind=Kind.PROJECT),),
    examples=("rescue ls",),
)
