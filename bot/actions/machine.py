"""What the verbs that only the shell can do have in common: they describe themselves, and run there."""

from __future__ import annotations

from bot.actions.action import Context
from bot.chat.message import Message
from bot.chat.request import Request
from orchestrator.errors import NotAllowed


async def elsewhere(context: Context, request: Request) -> Message:
    """Refuse: such a verb is done by the shell, on the machine that it runs on."""
    del context
    msg = f"{request.verb} is a matter of the machine."
    raise NotAllowed(msg, next_step=f"Run `ao {request.verb}` in a shell there.")
