"""`rescue restore`: the session that saved this again, starting from it."""

from __future__ import annotations

from bot.actions.action import Action, Context, Role
from bot.actions.rescued import REF, project_of_saved, saved_of
from bot.actions.target import about
from bot.chat.message import Message
from bot.chat.request import Request


async def run(context: Context, request: Request) -> Message:
    """The saved work stays where it is until it is dropped."""
    from orchestrator.services import rescue

    saved = await saved_of(context, request)
    session = await rescue.restore(context.core, saved.rescue.ref, by=request.who)
    return about(session, f"🌱 {session.id} is set up again from {saved.rescue.ref}.", f"status {session.id}")


ACTION = Action(
    verb="rescue restore",
    summary="set up the session that saved this again, starting from it",
    role=Role.OPERATOR,
    project=project_of_saved,
    inverse="kill",
    run=run,
    arguments=(REF,),
    examples=("rescue restore demo-4",),
)
