"""`rescue show`: what is in a piece of saved work."""

from __future__ import annotations

from bot.actions.action import Access, Action, Context, Role
from bot.actions.rescued import REF, project_of_saved, saved_of
from bot.chat.message import Message
from bot.chat.request import Request
from orchestrator.domain.outside_text import excerpt

LIMIT = 60_000


async def run(context: Context, request: Request) -> Message:
    """A bounded patch; outside text."""
    from orchestrator.services import rescue

    saved = await saved_of(context, request)
    text = excerpt(await rescue.show(context.core, saved.project, saved.rescue.ref), LIMIT)
    return Message(
        title=f"{saved.rescue.ref}: {saved.rescue.summary}",
        lines=tuple(text.splitlines()),
        verbatim=True,
        next_steps=(f"rescue restore {saved.rescue.ref}",),
        data={"ref": saved.rescue.ref, "session": saved.session, "patch": text},
    )


ACTION = Action(
    verb="rescue show",
    summary="show what is in a piece of saved work",
    role=Role.VIEWER,
    project=project_of_saved,
    access=Access.READS,
    run=run,
    arguments=(REF,),
    examples=("rescue show demo-4",),
)
