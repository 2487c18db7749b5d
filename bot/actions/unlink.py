"""`unlink`: forget who somebody is on the forge, here and there."""

from __future__ import annotations

from bot.actions.action import Action, Context, Role, Scope
from bot.actions.link import PROJECT, SERVICE
from bot.chat.message import Message
from bot.chat.request import Request


async def run(context: Context, request: Request) -> Message:
    """What they approve from now on counts for our own rules only."""
    from orchestrator.services import links

    host, left = await links.end(context.core, by=request.who, project=request.text("project"))
    return Message(
        title=f"🔗 You are not linked to {host} any more.",
        lines=(left,) if left else (),
        private=True,
        next_steps=("link github",),
        data={"host": host},
    )


ACTION = Action(
    verb="unlink",
    summary="forget who you are on GitHub, and have GitHub forget it",
    role=Role.OPERATOR,
    scope=Scope.SEEN,
    inverse="link",
    run=run,
    arguments=(SERVICE, PROJECT),
    examples=("unlink github",),
)
