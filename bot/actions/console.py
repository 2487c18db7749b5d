"""`console`: a link that logs one browser in to the web console, once."""

from __future__ import annotations

from bot.actions.action import Access, Action, Context, Role, Scope
from bot.chat.message import Field, Message
from bot.chat.request import Request


async def run(context: Context, request: Request) -> Message:
    """The link is whoever asks'. Reading, so that it is written down nowhere."""
    link = context.core.door.link(request.who, context.now)
    return Message(
        title="🔑 A link for one browser: it works once, for ten minutes.",
        fields=(Field("link", link),),
        private=True,
        data={"link": link},
    )


ACTION = Action(
    verb="console",
    summary="get a link that logs you in to the web console",
    role=Role.VIEWER,
    access=Access.READS,
    scope=Scope.SEEN,
    run=run,
    examples=("console",),
)
