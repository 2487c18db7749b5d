"""What somebody asks: who, where from, which verb with which arguments. Kept before it is acknowledged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from orchestrator.domain.person import Actor
from orchestrator.errors import BadInput

Value: TypeAlias = str | int | bool | tuple[str, ...]
"""What an argument can hold."""


class Surface(StrEnum):
    """Where somebody asks from."""

    SHELL = "shell"
    API = "api"
    WEB = "web"
    SLACK = "slack"
    DISCORD = "discord"


EVERYWHERE = frozenset(Surface)
SHELL = frozenset({Surface.SHELL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One thing asked, its arguments already read by the grammar."""

    id: str
    who: Actor
    surface: Surface
    verb: str
    at: float
    arguments: Mapping[str, Value] = field(default_factory=dict)
    project: str = ""
    """The project of the place it was asked in: a bound channel's, a thread's session's."""
    session: str = ""
    """The session whose thread it was asked in."""
    source: str = ""
    """The surface's own name for the post that asks: `slack:C1:17.5`."""
    called: str = ""
    """What who asks is called on the surface: for a name to be shown, never for rights."""
    key: str = ""
    """Two requests with one key are the same request: it is run once and answered twice."""
    place: str = ""
    """Where the answer goes, in the surface's own JSON (it alone reads it); kept with the request."""

    def text(self, name: str, default: str = "") -> str:
        """An argument as text."""
        value = self.arguments.get(name, default)
        return value if isinstance(value, str) else default

    def number(self, name: str, default: int = 0) -> int:
        """An argument as a whole number."""
        value = self.arguments.get(name, default)
        return value if isinstance(value, int) and not isinstance(value, bool) else default

    def flag(self, name: str) -> bool:
        """Whether a flag was given."""
        return self.arguments.get(name) is True

    def many(self, name: str) -> tuple[str, ...]:
        """An argument that holds several words."""
        value = self.arguments.get(name, ())
        return value if isinstance(value, tuple) else ()

    def target(self, name: str = "session") -> str:
        """The session that is meant: the one named, else the thread's. Raises `BadInput`."""
        found = self.text(name) or self.session
        if not found:
            msg = f"{self.verb} needs a session: its id, its issue or its pull request."
            raise BadInput(msg, next_step="`ao status` lists the sessions.")
        return found
