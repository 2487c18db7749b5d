"""`plugin create`: write a new plugin with its contract test into a folder. Done by the shell."""

from __future__ import annotations

from bot.actions.action import Access, Action, Argument, Kind, Role
from bot.actions.machine import elsewhere
from bot.chat.request import SHELL

ACTION = Action(
    verb="plugin create",
    summary="write a new plugin with its contract test into a folder",
    role=Role.ADMIN,
    access=Access.MACHINE,
    surfaces=SHELL,
    run=elsewhere,
    arguments=(
        Argument(
            name="slot",
            help="what it is for",
            choices=("runtime", "agent", "workspace", "tracker", "scm", "notifier", "terminal"),
            required=True,
        ),
        Argument(name="name", help="its name: a-z, 0-9 and -", required=True),
        Argument(
            name="output",
            help="the folder to write to; one of its name here unless told",
            kind=Kind.PATH,
            option=True,
        ),
    ),
    examples=("plugin create notifier pager",),
)
