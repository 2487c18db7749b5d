"""`completion`: print the completion of a shell. Done by the shell."""

from __future__ import annotations

from bot.actions.action import Access, Action, Argument, Role
from bot.actions.machine import elsewhere
from bot.chat.request import SHELL

ACTION = Action(
    verb="completion",
    summary="print the completion of a shell",
    role=Role.ADMIN,
    access=Access.MACHINE,
    surfaces=SHELL,
    run=elsewhere,
    arguments=(
        Argument(name="shell", help="bash, zsh or fish", choices=("bash", "zsh", "fish"), required=True),
    ),
    examples=("completion bash",),
)
