"""What the shell needs of the program that it cannot reach from here; `bot.cli` hands it in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from bot.actions.action import Access
from bot.chat.request import Value

if TYPE_CHECKING:
    from bot.actions.action import Bench
    from bot.actions.runner import Actions


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where `ao` was typed."""

    env: Mapping[str, str]
    cwd: str
    config: str = ""
    """`--config`; empty: found by the usual order."""
    yes: bool = False
    """`--yes`: what is asked is answered yes."""


class House(Protocol):
    """The fleet, or the configuration alone, in this process."""

    @property
    def actions(self) -> Actions:
        """The verbs over it."""

    @property
    def troubles(self) -> Sequence[str]:
        """What it goes on without, a line each."""

    async def settled(self) -> bool:
        """Run the ring until what was asked has come to rest; False if that took too long."""


class Machine(Protocol):
    """What only the whole program can do."""

    async def serve(
        self, where: Surroundings, ready: Callable[[Path, Sequence[str], str], None]
    ) -> tuple[Sequence[str], Sequence[str]]:
        """Run the fleet until SIGTERM or SIGINT; `ready` is told configuration, projects and the pairing code. Raises `AoError`.

        Returns the sessions that were live at the end, and those of them whose terminal ended with it.
        """

    def embedded(self, where: Surroundings, access: Access) -> AbstractAsyncContextManager[House]:
        """The fleet in this process, while no `ao start` runs.

        `Access.CHANGES` runs the ring and raises `Conflict` when somebody holds the lock; `Access.READS`
        only reads what is kept, whoever holds it; `Access.CONFIGURATION` opens no fleet at all.
        """

    def play_demo(self, where: Surroundings, arguments: Mapping[str, Value]) -> int:
        """Run `ao demo`; returns the exit code."""

    def bench(self, where: Surroundings) -> Bench:
        """The configuration and the plugins here, however wrong the configuration is."""
