"""`token rm`: take a personal token back."""

from __future__ import annotations

from bot.actions.action import Action, Argument, Context, Role, Scope
from bot.chat.message import Message
from bot.chat.request import Request, Surface


async def run(context: Context, request: Request) -> Message:
    """Its next use is refused."""
    from orchestrator.services import tokens

    dropped = await tokens.remove(context.core, request.text("id").lower(), by=request.who)
    whose = dropped.person or "the owner"
    return Message(title=f"🗑️ Token {dropped.id} of {whose} counts no more.", data={"id": dropped.id})


ACTION = Action(
    verb="token rm",
    aliases=("token remove", "token revoke", "tokens rm"),
    summary="take a personal token back; its next use is refused",
    role=Role.VIEWER,
    scope=Scope.SEEN,
    owners=True,
    run=run,
    surfaces=frozenset({Surface.SHELL, Surface.API, Surface.WEB}),
    arguments=(Argument(name="id", help="its id in `token ls`", required=True),),
    examples=("token rm t1a2b3c4",),
)
