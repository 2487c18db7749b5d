"""`open`: sessions' terminals in windows or tabs of their own."""

from __future__ import annotations

from bot.actions.action import Access, Action, Argument, Context, Kind, Role
from bot.actions.target import SESSION, session_of
from bot.chat.message import Json, Message
from bot.chat.request import Request, Surface
from orchestrator.domain.session import RuntimeState


async def run(context: Context, request: Request) -> Message:
    """Answers what is to be opened; the terminal plugin runs in the shell of whoever asks."""
    from orchestrator.services import attach, sessions

    if request.flag("all"):
        live = await sessions.listed(context.core)
        found = [session for session in live if session.runtime.state is RuntimeState.ALIVE]
    else:
        found = [await session_of(context, request)]
    windows = [await attach.attach(context.core, session.id) for session in found]
    data: list[Json] = [
        {
            "session": window.session,
            "title": window.title,
            "command": list(window.command),
            "link": window.link,
        }
        for window in windows
    ]
    return Message(
        title=f"{len(windows)} terminal{'' if len(windows) == 1 else 's'} to open",
        lines=tuple(f"{window.session}: {' '.join(window.command)}" for window in windows),
        verbatim=True,
        data={"open": data, "configuration": str(context.core.settings.path)},
    )


ACTION = Action(
    verb="open",
    summary="open a session's terminal, or all, in windows of their own",
    role=Role.ADMIN,
    access=Access.READS,
    surfaces=frozenset({Surface.SHELL, Surface.API}),
    run=run,
    arguments=(SESSION, Argument(name="all", help="every live session", kind=Kind.FLAG)),
    examples=("open demo-1", "open --all"),
)
