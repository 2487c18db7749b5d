"""`unpause`: let a session, or all of them, go on."""

from __future__ import annotations

from bot.actions.action import Action, Argument, Context, Kind, Role
from bot.actions.target import SESSION, about, session_of
from bot.chat.message import Message
from bot.chat.request import Request
from bot.chat.view import session_data


async def run(context: Context, request: Request) -> Message:
    """One session, or with `--all` every one that it concerns."""
    from orchestrator.services import pause

    meant = None if request.flag("all") else await session_of(context, request)
    braked = meant is None and bool(context.core.brake)
    changed = await pause.unpause(context.core, meant.id if meant else None, by=request.who)
    if meant is not None and meant.wanted.state.value != "pause":
        return about(changed[0], f"{meant.id} is not paused.", f"pause {meant.id}")
    names = ", ".join(session.id for session in changed)
    return Message(
        title=f"▶️ goes on: {names}" if changed else _nothing(braked=braked),
        session=changed[0].id if len(changed) == 1 else "",
        next_steps=tuple(f"pause {session.id}" for session in changed[:1]),
        data={"sessions": [session_data(session) for session in changed]},
    )


def _nothing(*, braked: bool) -> str:
    return "▶️ The brake is released; no session was paused." if braked else "Nothing to unpause."


ACTION = Action(
    verb="unpause",
    aliases=("resume", "continue"),
    summary="let a paused session go on; --all for every one",
    role=Role.OPERATOR,
    inverse="pause",
    run=run,
    arguments=(SESSION, Argument(name="all", help="every session", kind=Kind.FLAG)),
    examples=("unpause demo-1", "unpause --all"),
)
