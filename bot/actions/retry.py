"""`retry`: count red heads from the start again, so that failing checks go back to the agent; push again what was refused.

Where `auto: false` keeps the message for a person, `--send` is that person's word.
"""

from __future__ import annotations

from bot.actions.action import Action, Argument, Context, Kind, Role
from bot.actions.target import SESSION, about, session_of
from bot.chat.message import Message
from bot.chat.request import Request
from orchestrator.domain.ids import short_sha


async def run(context: Context, request: Request) -> Message:
    """With `--rerun` the forge runs the failed checks again too."""
    from orchestrator.services import retry

    meant = await session_of(context, request)
    send = request.flag("send")
    session = await retry.retry(
        context.core, meant.id, by=request.who, rerun=request.flag("rerun"), send=send
    )
    told = " Its agent is told what waited." if send else ""
    push = meant.held.push
    if push is not None and push.refused:
        told += f" Its push of {short_sha(push.head)} is tried again."
    return about(session, f"🔁 {session.id} has all its attempts again.{told}", f"status {session.id}")


ACTION = Action(
    verb="retry",
    summary="give a session all its attempts again, as if none had failed; a push that the forge refused is tried anew",
    role=Role.OPERATOR,
    run=run,
    arguments=(
        SESSION,
        Argument(name="rerun", help="run the failed checks again too", kind=Kind.FLAG),
        Argument(name="send", help="tell its agent what `auto: false` kept for a person", kind=Kind.FLAG),
    ),
    examples=("retry demo-1", "retry demo-1 --rerun", "retry demo-1 --send"),
)
