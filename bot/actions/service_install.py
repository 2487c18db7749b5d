"""`service install`: write a service file for systemd or launchd; nothing is switched on. Done by the shell."""

from __future__ import annotations

from bot.actions.action import Access, Action, Argument, Kind, Role
from bot.actions.machine import elsewhere
from bot.chat.request import SHELL

ACTION = Action(
    verb="service install",
    summary="write a service file for systemd or launchd; nothing is switched on",
    role=Role.ADMIN,
    access=Access.MACHINE,
    surfaces=SHELL,
    run=elsewhere,
    arguments=(
        Argument(
            name="kind",
            help="what for; this machine unless told",
            choices=("systemd", "launchd"),
            option=True,
        ),
        Argument(
            name="output",
            help="the folder to write to; the usual one unless told",
            kind=Kind.PATH,
            option=True,
        ),
    ),
    examples=("service install",),
)
