"""A runtime in memory, for tests of whatever uses one: terminals that a test writes on and ends."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

from typing_extensions import override

from orchestrator.domain.coloured import Picture, coloured
from orchestrator.domain.ids import SessionId
from orchestrator.domain.look import Look, Seen, Unseen
from orchestrator.errors import AoError, BadInput, NotFound
from orchestrator.ports.place import Place
from orchestrator.ports.runtime import (
    Attachable,
    Keys,
    Launch,
    Pictured,
    Presence,
    Runtime,
    RuntimeLook,
    Scrollback,
    Text,
)
from orchestrator.ports.session_ref import SessionRef
from orchestrator.testing.fakes.place import FakePlace

COLUMNS, ROWS = 80, 24
_KEYS = {"Enter", "Escape", "Tab", "BTab", "Space", "BSpace", "Up", "Down", "Left", "Right", "Home", "End"}


@dataclass
class FakeTerminal:
    """One terminal: what was started in it, what it shows, what it was given."""

    launch: Launch
    look: RuntimeLook
    screen: str = ""
    sent: list[Text | Keys] = field(default_factory=list)


class FakeRuntime(Runtime, Attachable, Scrollback, Pictured):
    """Terminals in a dictionary.

    `program`, if given, is called with the terminal after each start and after each thing sent to it: a
    scripted agent. `show`, `exit` and `vanish` are what a test does to a terminal; `fail_next` makes
    the next call fail (a look becomes `Unseen`), `unreadable` gives a reason for single sessions.
    """

    def __init__(self, program: Callable[[FakeTerminal], None] = lambda _terminal: None) -> None:
        self.terminals: dict[SessionId, FakeTerminal] = {}
        self.places: dict[SessionId, Place] = {}
        self.unreadable: dict[SessionId, str] = {}
        self.starts: list[SessionId] = []
        self.stops: list[SessionId] = []
        self.calls = 0
        """Outside calls that were made."""
        self.survives = True
        self._program = program
        self._pid = 1000
        self._failure: AoError | None = None

    def fail_next(self, error: AoError) -> None:
        """Let the next call fail with this error."""
        self._failure = error

    def show(self, session: SessionId, screen: str, **look: object) -> None:
        """Put text on a screen; further words change the look: `title`, `attached`, `mode`, `person_at`."""
        terminal = self.terminals[session]
        terminal.screen = screen
        terminal.look = replace(terminal.look, **look)  # type: ignore[arg-type]

    def exit(self, session: SessionId, code: int = 0) -> None:
        """Let a program end."""
        terminal = self.terminals[session]
        terminal.look = replace(terminal.look, presence=Presence.EXITED, exit_code=code)

    def vanish(self, *sessions: SessionId) -> None:
        """Let terminals be gone, all of them if none is named, as after a restart of the machine."""
        for session in sessions or tuple(self.terminals):
            del self.terminals[session]

    @property
    @override
    def outlives_us(self) -> bool:
        return self.survives

    @override
    async def place(self, session: SessionRef) -> Place:
        self._call()
        return self.places.setdefault(session.id, FakePlace())

    @override
    async def start(self, session: SessionRef, launch: Launch) -> None:
        self._call()
        there = self.terminals.get(session.id)
        if there is not None and there.look.presence is Presence.ALIVE:
            return
        self._pid += 1
        terminal = FakeTerminal(launch, RuntimeLook(presence=Presence.ALIVE, pid=self._pid))
        self.terminals[session.id] = terminal
        self.starts.append(session.id)
        self._program(terminal)

    @override
    async def observe(
        self, sessions: Collection[SessionRef], screens: Collection[SessionId] = ()
    ) -> Mapping[SessionId, Look[RuntimeLook]]:
        try:
            self._call()
        except AoError as error:
            return {session.id: Unseen(error.what) for session in sessions}
        return {session.id: self._look(session.id, screen=session.id in screens) for session in sessions}

    @override
    async def send(self, session: SessionRef, what: Text | Keys) -> None:
        self._call()
        terminal = self.terminals.get(session.id)
        if isinstance(what, Keys):
            _check(what)
        if terminal is None or terminal.look.presence is not Presence.ALIVE:
            msg = f"there is no living terminal of {session.id}."
            raise NotFound(msg, session=session.id)
        terminal.sent.append(what)
        self._program(terminal)

    @override
    async def stop(self, session: SessionRef) -> None:
        self._call()
        self.stops.append(session.id)
        self.terminals.pop(session.id, None)

    @override
    async def held(self) -> Collection[SessionId]:
        self._call()
        return list(self.terminals)

    @override
    def attach_command(self, session: SessionRef) -> tuple[str, ...]:
        return ("attach-to", session.id)

    @override
    async def output(self, session: SessionRef, lines: int) -> str:
        self._call()
        if session.id not in self.terminals:
            msg = f"there is no terminal of {session.id}."
            raise NotFound(msg, session=session.id)
        return "\n".join(self.terminals[session.id].screen.split("\n")[-lines:])

    @override
    async def pictures(self, sessions: Collection[SessionRef]) -> Mapping[SessionId, Look[Picture]]:
        try:
            self._call()
        except AoError as error:
            return {session.id: Unseen(error.what) for session in sessions}
        return {session.id: self._picture(session.id) for session in sessions}

    def _picture(self, session: SessionId) -> Look[Picture]:
        terminal = self.terminals.get(session)
        if terminal is None or session in self.unreadable:
            return Unseen(self.unreadable.get(session, "it has no terminal now."))
        lines = coloured(terminal.screen)[-ROWS:]
        return Seen(Picture(columns=COLUMNS, rows=ROWS, lines=lines, cursor=terminal.look.cursor))

    def _look(self, session: SessionId, *, screen: bool) -> Look[RuntimeLook]:
        if session in self.unreadable:
            return Unseen(self.unreadable[session])
        terminal = self.terminals.get(session)
        if terminal is None:
            return Seen(RuntimeLook(presence=Presence.MISSING))
        return Seen(replace(terminal.look, screen=terminal.screen if screen else None))

    def _call(self) -> None:
        self.calls += 1
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure


def _check(keys: Keys) -> None:
    for key in keys.keys:
        named = key in _KEYS or (len(key) == 3 and key.startswith("C-"))
        if not named and not (len(key) == 1 and key.isprintable()):
            msg = f"{key!r} is no key."
            raise BadInput(msg)
