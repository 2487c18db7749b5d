"""`restore`: an ended session again, with its saved work."""

from __future__ import annotations

from bot.actions.action import Action, Argument, Context, Kind, Role
from bot.actions.target import SESSION, about, session_of
from bot.chat.message import Message
from bot.chat.request import Request
from orchestrator.domain.ids import short_sha


async def run(context: Context, request: Request) -> Message:
    """In its own conversation where the agent can."""
    from orchestrator.services import restore

    if request.flag("all"):
        found = await restore.restore_all(context.core, by=request.who)
        done = [one.id for one in found if one.error is None]
        refused = tuple(str(one.error) for one in found if one.error is not None)
        title = f"🌱 {len(done)} of {len(found)} sessions are to be set up again: {', '.join(done)}."
        return Message(
            title=title if found else "No agent is gone.",
            lines=refused,
            next_steps=("status",) if done else (),
            data={"sessions": list(done), "refused": list(refused)},
        )
    meant = await session_of(context, request)
    session = await restore.restore(context.core, meant.id, by=request.who, rescue=request.text("rescue"))
    start = session.restored_from
    origin = f" from {start if '/' in start else short_sha(start)}" if start else ""
    return about(session, f"🌱 {session.id} is set up again{origin}.", f"status {session.id}")


ACTION = Action(
    verb="restore",
    aliases=("revive",),
    summary="set up an ended session again, with its saved work",
    role=Role.OPERATOR,
    inverse="kill",
    run=run,
    arguments=(
        SESSION,
        Argument(name="rescue", help="another rescue ref of it", option=True),
        Argument(name="all", help="every session whose agent is gone", kind=Kind.FLAG),
    ),
    examples=("restore demo-4", "restore --all"),
)
