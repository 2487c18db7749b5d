"""`pause`: hold a session, or all of them."""

from __future__ import annotations

from bot.actions.action import Action, Argument, Context, Kind, Role
from bot.actions.target import SESSION, about, session_of
from bot.chat.message import Message
from bot.chat.request import Request
from bot.chat.view import session_data
from orchestrator.domain.when import clock


async def run(context: Context, request: Request) -> Message:
    """One session, or with `--all` every one that it concerns."""
    from orchestrator.services import pause

    meant = None if request.flag("all") else await session_of(context, request)
    changed = await pause.pause(context.core, meant.id if meant else None, by=request.who)
    if meant is not None and meant.wanted.state.value == "pause":
        words = f"⏸️ {meant.id} is paused already, by {meant.wanted.by} since {clock(meant.wanted.at)}."
        return about(changed[0], words, f"unpause {meant.id}")
    names = ", ".join(session.id for session in changed)
    brake = context.core.brake if meant is None else ""
    on = f"{brake[:1].upper()}{brake[1:]}: nothing new starts." if brake else ""
    return Message(
        title=f"⏸️ paused: {names}" if changed else on,
        lines=(on,) if brake and changed else (),
        session=changed[0].id if meant is not None else "",
        next_steps=(f"unpause {meant.id}" if meant is not None else "unpause --all",),
        data={"sessions": [session_data(session) for session in changed], "brake": brake},
    )


ACTION = Action(
    verb="pause",
    aliases=("brake",),
    summary="hold a session where it is; --all is the fleet's brake",
    role=Role.OPERATOR,
    requesters=True,
    inverse="unpause",
    run=run,
    arguments=(SESSION, Argument(name="all", help="every session", kind=Kind.FLAG)),
    examples=("pause demo-1", "pause --all"),
)
