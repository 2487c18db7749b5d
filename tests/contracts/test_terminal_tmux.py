"""The person's own tmux keeps the promise of the terminal port. A real server of the test's stands for it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import uuid4

import pytest
from typing_extensions import override

from orchestrator.domain.ids import SessionId
from orchestrator.errors import NotReady
from orchestrator.ports.place import Completed
from orchestrator.ports.terminal import Attach
from orchestrator.testing.contracts.terminal import HOSTILE, TerminalContract, attach
from orchestrator.testing.waiting import eventually
from plugins._shared import command
from plugins.terminal.tmux import TmuxTerminal


class Person:
    """A person's tmux server, and the commands that reach it."""

    def __init__(self, socket: str) -> None:
        self.socket = socket
        self.ran: list[tuple[str, ...]] = []

    async def run(self, argv: Sequence[str]) -> Completed:
        """Run tmux as from inside the person's server."""
        self.ran.append(tuple(argv))
        assert argv[0] == "tmux"
        return await command.run(("tmux", "-L", self.socket, *argv[1:]), env=dict(os.environ))

    async def windows(self) -> list[str]:
        """The names of its windows."""
        return (await self.run(("tmux", "list-windows", "-a", "-F", "#{window_name}"))).text().split("\n")


@pytest.mark.tmux
class TestTmuxTerminal(TerminalContract):
    @pytest.fixture
    def person(self) -> Iterator[Person]:
        socket = f"ao-test-{uuid4().hex[:8]}"
        tmux = ("tmux", "-L", socket)
        start = (*tmux, "-f", "/dev/null", "new-session", "-d", "-s", "mine", "-n", "mine", "cat")
        subprocess.run([*start, ";", "set-option", "-g", "remain-on-exit", "on"], check=True)
        yield Person(socket)
        subprocess.run([*tmux, "kill-server"], check=False, capture_output=True)

    @override
    @pytest.fixture
    def terminal(self, person: Person) -> TmuxTerminal:
        return TmuxTerminal({"TMUX": "inside"}, person.run)

    async def test_a_window_is_opened_once_and_then_brought_forward(
        self, terminal: TmuxTerminal, person: Person
    ) -> None:
        await terminal.open(attach(1))
        assert await terminal.is_open(SessionId("demo-1"))
        await terminal.open(attach(10))
        assert await person.windows() == ["mine", "demo-1", "demo-10"]
        assert "forward" in await terminal.open(attach(1))
        assert await person.windows() == ["mine", "demo-1", "demo-10"]

    async def test_nothing_of_a_title_reaches_tmux(self, terminal: TmuxTerminal, person: Person) -> None:
        await terminal.open(attach(title=HOSTILE))
        assert not [word for argv in person.ran for word in argv if "trap" in word]

    async def test_the_command_arrives_as_it_is(self, terminal: TmuxTerminal, tmp_path: Path) -> None:
        out, odd = tmp_path / "words", ("a b;", ";", "#(id)", "$(id)", "it's", "")
        script = f'printf "<%s>" "$@" > {out}.part; mv {out}.part {out}'
        await terminal.open(
            Attach(session=SessionId("demo-1"), title="x", command=("sh", "-c", script, "sh", *odd))
        )

        async def words() -> str:
            return out.read_text() if out.exists() else ""

        assert await eventually(words, bool) == "".join(f"<{word}>" for word in odd)


async def test_outside_tmux_it_takes_the_terminal_that_is_there() -> None:
    ran: list[Sequence[str]] = []

    async def foreground(argv: Sequence[str]) -> int:
        ran.append(argv)
        return 0

    terminal = TmuxTerminal({}, foreground=foreground, has_terminal=lambda: True)
    assert "demo-1" in await terminal.open(attach())
    assert ran == [attach().command]
    with pytest.raises(NotReady, match="each gets a window"):
        await terminal.open_all([attach(1), attach(2)])
    assert not await terminal.is_open(SessionId("demo-1"))


async def test_without_a_terminal_it_says_what_to_type() -> None:
    terminal = TmuxTerminal({}, has_terminal=lambda: False)
    with pytest.raises(NotReady, match="Type: attach-to demo-1"):
        await terminal.open(attach())


async def test_an_attach_that_fails_is_not_called_done() -> None:
    async def foreground(argv: Sequence[str]) -> int:
        return 1

    with pytest.raises(NotReady, match="code 1"):
        await TmuxTerminal({}, foreground=foreground, has_terminal=lambda: True).open(attach())
