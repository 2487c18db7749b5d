"""`demo`: play one issue from spawn to merge on a sandbox repository. Done by the shell."""

from __future__ import annotations

from bot.actions.action import Access, Action, Argument, Kind, Role
from bot.actions.machine import elsewhere
from bot.chat.request import SHELL

ACTION = Action(
    verb="demo",
    summary="play one issue from spawn to merge on a sandbox repository",
    role=Role.ADMIN,
    access=Access.MACHINE,
    surfaces=SHELL,
    run=elsewhere,
    arguments=(
        Argument(name="headless", help="play issue 1 through, print the story, exit", kind=Kind.FLAG),
        Argument(
            name="agent",
            help="with --headless: the agent that plays it, if not the scripted one",
            option=True,
        ),
        Argument(
            name="slack",
            help="with a Slack of its own, in the browser; with --headless a conversation is played in it",
            kind=Kind.FLAG,
        ),
        Argument(
            name="github",
            help="with a GitHub of its own: issues, pull requests, checks and merges are there",
            kind=Kind.FLAG,
        ),
        Argument(name="serve", help="run the sandbox until Ctrl-C", kind=Kind.FLAG),
    ),
    examples=("demo", "demo --headless", "demo --slack", "demo --github --slack --headless"),
)
