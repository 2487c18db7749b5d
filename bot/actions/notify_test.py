"""`notify test`: a test notification to every notifier, or to one."""

from __future__ import annotations

from bot.actions.action import Action, Argument, Context, Role, Scope
from bot.chat.message import Json, Message, Table
from bot.chat.request import Request
from orchestrator.domain.event import Level


async def run(context: Context, request: Request) -> Message:
    """Says of each whether it took it."""
    from orchestrator.services import notify

    results = await notify.test(context.core, request.text("notifier"), by=request.who)
    failed = sum(not result.ok for result in results)
    rows = tuple((r.notifier, "✅ delivered" if r.ok else "❌ failed", r.detail) for r in results)
    data: list[Json] = [{"notifier": r.notifier, "ok": r.ok, "detail": r.detail} for r in results]
    return Message(
        title=f"{len(results) - failed} of {len(results)} notifiers took the test."
        if results
        else "No notifiers.",
        table=Table(("notifier", "outcome", "detail"), rows, wrap=True) if rows else None,
        level=Level.ACTION if failed else Level.INFO,
        data={"results": data, "failed": failed > 0},
    )


ACTION = Action(
    verb="notify test",
    summary="send a test notification to every notifier, or to one",
    role=Role.ADMIN,
    scope=Scope.FLEET,
    run=run,
    arguments=(Argument(name="notifier", help="only this one"),),
    examples=("notify test", "notify test desktop"),
)
