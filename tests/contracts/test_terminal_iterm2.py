"""iTerm2 is told what the terminal port promises. Its command lines are checked; no macOS is needed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from typing_extensions import override

from orchestrator.domain.ids import SessionId
from orchestrator.errors import NotReady, PermanentError
from orchestrator.ports.place import Completed
from orchestrator.testing.contracts.terminal import HOSTILE, TerminalContract, attach
from plugins.terminal.iterm2 import ITerm2


class Osascript:
    """Stands for `osascript`: remembers which tabs were made, and every argument list."""

    def __init__(self) -> None:
        self.ran: list[tuple[str, ...]] = []
        self.tabs: list[str] = []
        self.refusal = ""

    async def run(self, argv: Sequence[str]) -> Completed:
        """Answer as the scripts would."""
        self.ran.append(tuple(argv))
        if self.refusal:
            return Completed(code=1, stdout=b"", stderr=self.refusal.encode())
        session = argv[4]
        if "create tab" not in argv[2]:
            return Completed(code=0, stdout=b"there\n" if session in self.tabs else b"absent\n", stderr=b"")
        self.tabs.append(session)
        return Completed(code=0, stdout=b"opened\n", stderr=b"")


class TestITerm2(TerminalContract):
    @pytest.fixture
    def osascript(self) -> Osascript:
        return Osascript()

    @override
    @pytest.fixture
    def terminal(self, osascript: Osascript) -> ITerm2:
        return ITerm2(osascript.run)

    async def test_a_tab_is_made_once_and_then_brought_forward(
        self, terminal: ITerm2, osascript: Osascript
    ) -> None:
        await terminal.open(attach())
        assert "forward" in await terminal.open(attach())
        assert osascript.tabs == ["demo-1"]
        assert await terminal.is_open(SessionId("demo-1"))

    async def test_what_is_ours_is_an_argument_and_never_applescript(
        self, terminal: ITerm2, osascript: Osascript
    ) -> None:
        await terminal.open(attach(1, title="plain"))
        await terminal.open(attach(2, title=HOSTILE))
        plain, hostile = osascript.ran[1], osascript.ran[3]
        assert plain[:4] == hostile[:4]
        assert plain[:2] == ("osascript", "-e")
        assert plain[3] == "--"
        assert hostile[4:] == (
            "demo-2", " ".join(HOSTILE.split()), """attach-to demo-2 'it'"'"'s; $HOME "x"'"""
        )  # fmt: skip

    async def test_a_refusal_says_what_to_type(self, terminal: ITerm2, osascript: Osascript) -> None:
        osascript.refusal = "Not authorised to send Apple events to iTerm2. (-1743)"
        with pytest.raises(NotReady, match=r"-1743.*Type: attach-to demo-1"):
            await terminal.open(attach())
        assert not await terminal.is_open(SessionId("demo-1"))

    async def test_without_osascript_it_says_so(self) -> None:
        async def no_program(argv: Sequence[str]) -> Completed:
            msg = f"there is no program {argv[0]!r}."
            raise PermanentError(msg)

        with pytest.raises(NotReady, match="osascript"):
            await ITerm2(no_program).open(attach())
