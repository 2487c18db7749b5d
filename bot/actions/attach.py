"""`attach`: a session's terminal in the terminal of whoever asks."""

from __future__ import annotations

from bot.actions.action import Access, Action, Context, Role
from bot.actions.target import SESSION, session_of
from bot.chat.message import Message
from bot.chat.request import Request, Surface


async def run(context: Context, request: Request) -> Message:
    """Answers the command; the shell runs it in its own place."""
    from orchestrator.services import attach

    session = await session_of(context, request)
    what = await attach.attach(context.core, session.id)
    return Message(
        title=f"{session.id}: run this to attach",
        lines=(" ".join(what.command),),
        verbatim=True,
        session=session.id,
        data={"session": session.id, "title": what.title, "command": list(what.command)},
    )


ACTION = Action(
    verb="attach",
    summary="show a session's terminal in this one",
    role=Role.ADMIN,
    access=Access.READS,
    surfaces=frozenset({Surface.SHELL, Surface.API}),
    run=run,
    arguments=(SESSION,),
    examples=("attach demo-1",),
)
