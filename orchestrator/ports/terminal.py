"""Slot `terminal`: opens a session's terminal for a person, on the person's own screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from orchestrator.domain.ids import SessionId
from orchestrator.ports.plugin import Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Attach:
    """A terminal to open: a title and the command that attaches, as an argument list."""

    session: SessionId
    title: str
    command: tuple[str, ...]
    link: str = ""
    """The page of the web console that shows it; empty while no console listens."""


class Terminal(Protocol):
    """Runs in the person's `ao attach` or `ao open`, not in `ao start`."""

    async def open(self, what: Attach) -> str:
        """Open one terminal, or bring it forward; returns what was done, in words.

        Raises `NotReady` where this terminal cannot be had, with what to do instead.
        """

    async def open_all(self, what: Sequence[Attach]) -> str:
        """Open several, side by side or as tabs."""

    async def is_open(self, session: SessionId) -> bool:
        """Whether this terminal shows the session now; False when that cannot be known."""


TERMINAL: Slot[Terminal] = Slot("terminal")
