"""`github webhook ls`: our webhooks, and whether their deliveries come in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.actions.action import Access, Action, Argument, Context, Kind, Role, Scope
from bot.actions.target import spelled
from bot.chat.message import Json, Message, Table
from bot.chat.request import Request

if TYPE_CHECKING:
    from orchestrator.ports.scm import Hook


async def run(context: Context, request: Request) -> Message:
    """Asks GitHub once for each project."""
    from orchestrator.services import forge_hooks

    named = request.text("project")
    found = await forge_hooks.listed(context.core, spelled(context, named) if named else "")
    seen = [row for row in found if context.sees(row.project)]
    rows = tuple(
        (row.project, _state(row.hook), row.hook.url if row.hook else "-", row.words) for row in seen
    )
    data: list[Json] = [
        {
            "project": row.project,
            "id": row.hook.id if row.hook else None,
            "url": row.hook.url if row.hook else None,
            "active": row.hook.active if row.hook else None,
            "last": row.hook.last if row.hook else None,
            "words": row.words,
        }
        for row in seen
    ]
    missing = next((row.project for row in seen if row.hook is None), "")
    return Message(
        title=f"{sum(row.hook is not None for row in seen)} of {len(seen)} projects have our webhook"
        if seen
        else "No project here is on a forge with webhooks.",
        table=Table(("project", "hook", "address", "deliveries"), rows, wrap=True) if rows else None,
        next_steps=(f"github webhook install {missing}",) if missing else (),
        data={"hooks": data},
    )


def _state(hook: Hook | None) -> str:
    if hook is None:
        return "none"
    state = "active" if hook.active else "switched off"
    return f"{state}, last answer {hook.last}" if hook.last else state


ACTION = Action(
    verb="github webhook ls",
    aliases=("github webhook list", "github webhooks"),
    summary="list our webhooks on GitHub, and when deliveries last came in",
    role=Role.VIEWER,
    scope=Scope.SEEN,
    access=Access.READS,
    run=run,
    arguments=(Argument(name="project", help="this project alone", kind=Kind.PROJECT),),
    examples=("github webhook ls", "github webhook ls demo"),
)
