"""`init`: write a configuration for a repository, and trust it. Done by the shell."""

from __future__ import annotations

from bot.actions.action import Access, Action, Argument, Kind, Role
from bot.actions.machine import elsewhere
from bot.chat.request import SHELL

ACTION = Action(
    verb="init",
    summary="write a configuration for a repository, and trust it",
    role=Role.ADMIN,
    access=Access.MACHINE,
    surfaces=SHELL,
    run=elsewhere,
    arguments=(
        Argument(name="path", help="the repository; this folder unless told", kind=Kind.PATH),
        Argument(name="name", help="the name of the project", option=True),
        Argument(name="agent", help="the agent to use", option=True),
        Argument(name="tests", help="the command that checks a change", option=True),
    ),
    examples=("init", 'init ~/src/app --tests "make test"'),
)
