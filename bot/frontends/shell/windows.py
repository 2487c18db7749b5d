"""`attach` and `open`: terminals of sessions on the screen of whoever asked."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.chat.message import Json, Message
from bot.frontends.shell.console import Console
from bot.frontends.shell.machine import Machine, Surroundings
from orchestrator.domain.ids import session_id
from orchestrator.errors import NotFound, NotReady
from orchestrator.ports.terminal import TERMINAL, Attach

if TYPE_CHECKING:
    from bot.actions.action import Bench


def show(machine: Machine, where: Surroundings, console: Console, message: Message) -> int:
    """Become the program that attaches, or open windows by the configured terminal plugin."""
    data = message.data if isinstance(message.data, dict) else {}
    if "open" not in data:
        command = _one(data).command
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            msg = "attach takes over the terminal that it is typed in, and this is none."
            step = f"`ao output {data.get('session')}` shows the last lines; --json prints the command."
            raise NotReady(msg, next_step=step)
        os.execvp(command[0], list(command))  # noqa: S606 - an argument list of our own, no shell
    found = data["open"]
    wanted = [_one(item) for item in found if isinstance(item, dict)] if isinstance(found, list) else []
    if not wanted:
        console.tell("There is no terminal to open.")
        return 0
    config = where.config or str(data.get("configuration") or "")
    console.tell(asyncio.run(_open(machine.bench(replace(where, config=config)), wanted)))
    return 0


async def _open(bench: Bench, wanted: Sequence[Attach]) -> str:
    from orchestrator.services import configuration
    from orchestrator.services.trust import Trusted
    from orchestrator.settings.plugin_check import options_for

    settings = configuration.usable(bench.settings.look(), bench.registry, Trusted(bench.home))
    use = settings.terminal
    terminal = bench.registry.create(TERMINAL, use.name, options_for(use, bench.registry))
    return await (terminal.open(wanted[0]) if len(wanted) == 1 else terminal.open_all(wanted))


def _one(data: dict[str, Json]) -> Attach:
    command = data.get("command")
    if not isinstance(command, list) or not command:
        msg = "there is no command that attaches."
        raise NotFound(msg)
    return Attach(
        session=session_id(str(data.get("session"))),
        title=str(data.get("title") or ""),
        command=tuple(str(part) for part in command),
        link=str(data.get("link") or ""),
    )
