"""`kill`: end a session; its work is saved first."""

from __future__ import annotations

from bot.actions import facts
from bot.actions.action import Action, Confirmation, Context, Role
from bot.actions.target import SESSION, about, session_of
from bot.chat.message import Field, Message
from bot.chat.request import Request


async def run(context: Context, request: Request) -> Message:
    """Answers once it is wanted; the ring takes the session down step by step."""
    from orchestrator.services import damaged, kill

    lost = await damaged.named(context.core, request.target())
    if lost is not None:
        session = await damaged.end(context.core, lost, by=request.who)
    else:
        meant = await session_of(context, request)
        session = await kill.kill(context.core, meant.id, by=request.who)
        if meant.wanted.state.value == "stop":
            words = f"⛔ {session.id} ends already: {session.status.reason}."
            return about(session, words, f"restore {session.id}")
    title = f"⛔ {session.id} ends; what is unsaved is rescued first."
    return about(session, title, f"restore {session.id}", "rescue ls")


async def preview(context: Context, request: Request) -> Message:
    """What would end."""
    from orchestrator.services import damaged

    lost = await damaged.named(context.core, request.target())
    if lost is None:
        return await facts.of_session(context, request)
    return facts.plain(
        request,
        f"Kill {lost.id}?",
        Field("session", f"its file was damaged: {lost.file}"),
        Field("work", "what is unsaved is rescued first"),
    )


ACTION = Action(
    verb="kill",
    aliases=("end",),
    summary="end a session; unsaved work is rescued first",
    role=Role.OPERATOR,
    requesters=True,
    confirmation=Confirmation.FACTS,
    preview=preview,
    inverse="restore",
    run=run,
    arguments=(SESSION,),
    examples=("kill demo-4", "kill demo-4 --yes"),
)
