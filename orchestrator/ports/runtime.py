"""Slot `runtime`: where an agent's terminal lives, and the place that belongs to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from orchestrator.domain.coloured import Picture
from orchestrator.domain.ids import SessionId
from orchestrator.domain.look import Look
from orchestrator.ports.place import Place
from orchestrator.ports.plugin import Slot
from orchestrator.ports.session_ref import SessionRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What to start in the terminal. Never a shell string."""

    argv: tuple[str, ...]
    cwd: str
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to the session's allow-list."""


class Presence(StrEnum):
    """Whether the terminal and the program in it are there."""

    ALIVE = "alive"
    EXITED = "exited"
    """The terminal is there, its program has ended; the exit code is evidence."""
    MISSING = "missing"
    """The look worked and the terminal is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeLook:
    """What one look at a session's terminal showed."""

    presence: Presence
    exit_code: int | None = None
    title: str = ""
    """The pane's title as the program set it: outside text."""
    screen: str | None = None
    """The visible screen, where it was asked for: outside text."""
    cursor: tuple[int, int] | None = None
    """Column and row of the cursor on the visible screen, from 0; None if nobody knows."""
    attached: bool = False
    """A person has this terminal open."""
    person_at: float = 0.0
    """When an attached person last typed (epoch seconds); 0 if nobody knows."""
    mode: str = ""
    """Not empty while keys would not reach the program (copy mode)."""
    pid: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Text to paste into the program as one piece (bracketed paste), then submitted or not."""

    text: str
    submit: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Single keys by name: `Enter`, `Escape`, `Up`, `Down`, `C-c`, or one printable character."""

    keys: tuple[str, ...]


@runtime_checkable
class Runtime(Protocol):
    """Holds agents' terminals. Stopping `ao` does not stop them unless `outlives_us` is False."""

    @property
    def outlives_us(self) -> bool:
        """Sessions go on while `ao start` is down, and are found again by `observe`."""

    async def place(self, session: SessionRef) -> Place:
        """The session's place, made ready if need be. Repeatable."""

    async def start(self, session: SessionRef, launch: Launch) -> None:
        """Start the agent's terminal.

        Repeatable: a living terminal of this session is left as it is; a dead one is replaced.
        Raises `PermanentError` when the program cannot be started, and leaves nothing behind then.
        """

    async def observe(
        self, sessions: Collection[SessionRef], screens: Collection[SessionId] = ()
    ) -> Mapping[SessionId, Look[RuntimeLook]]:
        """Look at all of them at once: one answer for each key, never raising for one.

        `screens` names those whose visible screen is needed too. The number of outside calls does
        not grow with the number of sessions (a contract test counts them for 1 and for 100).
        """

    async def send(self, session: SessionRef, what: Text | Keys) -> None:
        """Give the program text or keys. Raises `NotFound` when there is no living terminal.

        The caller has looked first; this does not judge whether it is wise.
        """

    async def stop(self, session: SessionRef) -> None:
        """End the program, all its children and the terminal. Repeatable; gone is success."""

    async def held(self) -> Collection[SessionId]:
        """The sessions of this `$AO_HOME` that have a terminal now, for finding orphans."""


@runtime_checkable
class Attachable(Protocol):
    """A runtime whose terminals a person can open."""

    def attach_command(self, session: SessionRef) -> tuple[str, ...]:
        """The command, as an argument list, that opens the session's terminal."""


@runtime_checkable
class Scrollback(Protocol):
    """A runtime that keeps what scrolled off the screen."""

    async def output(self, session: SessionRef, lines: int) -> str:
        """The last `lines` lines of the terminal's output: outside text. Raises `NotFound`."""


@runtime_checkable
class Pictured(Protocol):
    """A runtime that can show a terminal as a person would see it, colours included."""

    async def pictures(self, sessions: Collection[SessionRef]) -> Mapping[SessionId, Look[Picture]]:
        """The visible screens: one answer for each key, never raising for one; as few outside calls as for one.

        Nothing of a terminal is changed by it, neither its size nor what somebody scrolled to.
        """


RUNTIME: Slot[Runtime] = Slot("runtime")
