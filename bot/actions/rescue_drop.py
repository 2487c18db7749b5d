"""`rescue drop`: forget a piece of saved work for good."""

from __future__ import annotations

from dataclasses import replace

from bot.actions import facts
from bot.actions.action import Action, Confirmation, Context, Role
from bot.actions.rescued import REF, project_of_saved, saved_of
from bot.chat.message import Field, Message
from bot.chat.request import Request


async def preview(context: Context, request: Request) -> Message:
    """What would be forgotten; the yes is bound to this very ref."""
    saved = await saved_of(context, request)
    bound = replace(request, arguments={**request.arguments, "ref": saved.rescue.ref})
    return facts.plain(
        bound,
        f"Drop {saved.rescue.ref} for good?",
        Field("session", saved.session),
        Field("what", saved.rescue.summary),
        Field("commit", saved.rescue.commit),
    )


async def run(context: Context, request: Request) -> Message:
    """The audit log keeps who did it."""
    from orchestrator.services import rescue

    saved = await saved_of(context, request)
    await rescue.drop(context.core, saved.project, saved.rescue.ref, by=request.who)
    return Message(title=f"🗑️ {saved.rescue.ref} is dropped.", data={"ref": saved.rescue.ref})


ACTION = Action(
    verb="rescue drop",
    summary="forget a piece of saved work for good",
    role=Role.ADMIN,
    project=project_of_saved,
    confirmation=Confirmation.FACTS,
    preview=preview,
    run=run,
    arguments=(REF,),
    examples=("rescue drop refs/ao/rescue/demo-4/1",),
)
