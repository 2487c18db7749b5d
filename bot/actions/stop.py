"""`stop`: stop the fleet's process; agents go on. Done by the shell."""

from __future__ import annotations

from bot.actions.action import Access, Action, Argument, Kind, Role
from bot.actions.machine import elsewhere
from bot.chat.request import SHELL

ACTION = Action(
    verb="stop",
    summary="stop the fleet's process; agents go on",
    role=Role.ADMIN,
    access=Access.MACHINE,
    surfaces=SHELL,
    inverse="start",
    run=elsewhere,
    arguments=(
        Argument(
            name="sessions",
            help="end all sessions first, after a yes; unsaved work is rescued",
            kind=Kind.FLAG,
        ),
    ),
    examples=("stop", "stop --sessions", "stop --sessions --yes"),
)
