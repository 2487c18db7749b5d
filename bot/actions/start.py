"""`start`: run the fleet in this terminal until Ctrl-C; agents outlive it. Done by the shell."""

from __future__ import annotations

from bot.actions.action import Access, Action, Argument, Role
from bot.actions.machine import elsewhere
from bot.chat.request import SHELL

ACTION = Action(
    verb="start",
    summary="run the fleet in this terminal until Ctrl-C; agents outlive it",
    role=Role.ADMIN,
    access=Access.MACHINE,
    surfaces=SHELL,
    inverse="stop",
    run=elsewhere,
    arguments=(
        Argument(name="target", help="a repository to look after: a path or an address that git can clone"),
    ),
    examples=("start", "start ~/src/app"),
)
