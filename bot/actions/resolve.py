"""`resolve`: mark a review thread of a session's pull request as resolved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.actions.action import Action, Argument, Context, Role
from bot.actions.target import SESSION, about, session_of
from bot.chat.message import Message, Table
from bot.chat.request import Request
from orchestrator.domain.outside_text import one_line

if TYPE_CHECKING:
    from orchestrator.domain.session import Session


async def run(context: Context, request: Request) -> Message:
    """Without a thread: those that are open."""
    from orchestrator.services import threads

    meant = await session_of(context, request)
    thread = request.text("thread")
    if not thread:
        return _listed(meant)
    session = await threads.resolve(context.core, meant.id, thread, by=request.who)
    return about(session, f"☑️ Resolved in {session.id}.", f"resolve {session.id}")


def _listed(session: Session) -> Message:
    from orchestrator.services import threads

    found = threads.open_threads(session)
    if not found:
        return Message(title=f"{session.id} has no open review threads.", session=session.id)
    rows = tuple(
        (
            one_line(one.thread, 80),
            f"{one_line(one.path, 80)}:{one.line}" if one.path else "",
            one_line(one.author, 40),
            one_line(one.body, 100),
        )
        for one in found
    )
    return Message(
        title=f"{session.id} has {len(found)} open.",
        session=session.id,
        table=Table(("thread", "where", "by", "what"), rows),
        next_steps=(f"resolve {session.id} THREAD",),
        data={"threads": [one.thread for one in found]},
    )


ACTION = Action(
    verb="resolve",
    summary="mark a review thread of a session's pull request as resolved; without one, list those that are open",
    role=Role.OPERATOR,
    run=run,
    arguments=(SESSION, Argument(name="thread", help="the thread, as `ao resolve SESSION` lists it")),
    examples=("resolve demo-1", "resolve demo-1 PRRT_kwDOA1b2c3"),
)
