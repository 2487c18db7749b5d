"""What terminals have in common: how they run a program, and what they say when they cannot."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from typing import Protocol

from orchestrator.errors import NotReady
from orchestrator.ports.place import Completed
from orchestrator.ports.terminal import Attach
from plugins._shared import command


class Runner(Protocol):
    """Runs a command to its end."""

    async def __call__(self, argv: Sequence[str]) -> Completed:
        """Run it. Raises `PermanentError` when there is no such program."""


async def run_as_person(argv: Sequence[str]) -> Completed:
    """Run a command as the person who typed `ao attach`: with that person's environment."""
    return await command.run(argv, env=dict(os.environ), timeout=15.0)


def by_hand(what: Sequence[Attach]) -> str:
    """The commands that open these, for a person to type."""
    return "; ".join(shlex.join(each.command) for each in what)


def not_ready(reason: str, what: Sequence[Attach]) -> NotReady:
    """No terminal can be opened: say why, and what to type instead."""
    return NotReady(reason, next_step=f"Type: {by_hand(what)}")
