"""A fleet on fakes whose terminals are real: each session also has a program in a tmux session, which is shown and typed to."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from typing_extensions import override

from orchestrator.domain.coloured import Picture
from orchestrator.domain.ids import SessionId
from orchestrator.domain.look import Look
from orchestrator.ports.runtime import Keys, Launch, Pictured, Runtime, Text
from orchestrator.ports.session_ref import SessionRef
from orchestrator.testing.fakes.runtime import FakeRuntime
from orchestrator.testing.ring import FakeWorld

# Shows hostile output, asks for bracketed paste, then keeps what it hears and says it.
_PROGRAM = r"""
import os, sys, tty
tty.setraw(0)
hostile = sys.argv[2]
os.write(1, ("\x1b[?2004h\x1b[1;32mgreen\x1b[0m and plain\r\n" + hostile + "\r\nREADY\r\n").encode())
while data := os.read(0, 65536):
    with open(sys.argv[1], "ab") as file:
        file.write(data)
    os.write(1, ("heard " + repr(data.decode()) + "\r\n").encode())
"""
HOSTILE = (
    "\x1b]52;c;b3duZWQ=\x07\x1b]2;owned\x07\x1b]0;owned\x07\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\ "
    "\u202egnp.exe\u202c <img src=x onerror=alert(1)>\x1b[6n\x1b[c"
)


class RealTerminals(FakeRuntime):
    """What the ring does not do in them is done in real ones beside."""

    def __init__(self, real: Runtime, folder: Path) -> None:
        super().__init__()
        self.real = real
        self._folder = folder

    def heard(self, session: SessionId) -> bytes:
        """What the session's program was typed."""
        path = self._folder / f"heard-{session}"
        return path.read_bytes() if path.exists() else b""

    @override
    async def start(self, session: SessionRef, launch: Launch) -> None:
        await super().start(session, launch)
        # By this variable a runtime finds what a session has started: also that of another test.
        own = {**session.environment, "AO_SESSION_DIR": str(session.folder)}
        session = replace(session, environment=own)
        await self.real.place(session)
        argv = (sys.executable, "-I", "-c", _PROGRAM, str(self._folder / f"heard-{session.id}"), HOSTILE)
        environment = {"TERM": "xterm-256color", "PATH": "/usr/bin:/bin"}
        await self.real.start(session, Launch(argv=argv, cwd=str(self._folder), environment=environment))

    @override
    async def send(self, session: SessionRef, what: Text | Keys) -> None:
        await self.real.send(session, what)

    @override
    async def pictures(self, sessions: Collection[SessionRef]) -> Mapping[SessionId, Look[Picture]]:
        self.calls += 1
        assert isinstance(self.real, Pictured)
        return await self.real.pictures(sessions)


def real_world(real: Runtime, folder: Path) -> tuple[FakeWorld, RealTerminals]:
    """A world with such terminals, which write what they hear into a folder."""
    world = FakeWorld()
    terminals = RealTerminals(real, folder)
    world.runtime = terminals
    return world, terminals
