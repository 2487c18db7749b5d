"""`config schema`: the JSON schema of a configuration, for editors."""

from __future__ import annotations

import json

from bot.actions.action import Access, Action, Context, Role, Scope
from bot.chat.message import Message
from bot.chat.request import SHELL, Request


async def run(context: Context, request: Request) -> Message:
    """Made from the same models that read the file."""
    from orchestrator import resources

    del context, request
    text = resources.text("schema.json")
    return Message(title="", lines=tuple(text.splitlines()), verbatim=True, data=json.loads(text))


ACTION = Action(
    verb="config schema",
    summary="print the JSON schema of a configuration, for editors",
    role=Role.VIEWER,
    scope=Scope.FLEET,
    access=Access.FILES,
    surfaces=SHELL,
    run=run,
    examples=("config schema",),
)
