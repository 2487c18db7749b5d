"""What every terminal must do. Subclass `TerminalContract`, give the fixture `terminal`, and run it.

Where the terminal needs a program that a test cannot have, the fixture gives it a command runner of the
test's own, and tests of that terminal look at the argument lists.
"""

from __future__ import annotations

import pytest

from orchestrator.domain.ids import SessionId
from orchestrator.errors import NotReady
from orchestrator.ports.terminal import Attach, Terminal

HOSTILE = 'a"; do shell script "touch trap" -- \'$(touch trap)\' `touch trap` \\ #(touch trap) {command}\n;'
"""A title that would run something wherever it is put into a program's text without care."""


def attach(number: int = 1, title: str = "") -> Attach:
    """What to open for one session."""
    name = SessionId(f"demo-{number}")
    command = ("attach-to", name, 'it\'s; $HOME "x"')
    link = f"http://127.0.0.1:8410/sessions/{name}/terminal"
    return Attach(session=name, title=title or name, command=command, link=link)


class TerminalContract:
    """The promise of `orchestrator.ports.terminal`, as tests."""

    available = True
    """False for a terminal that can never be had here: it must say what to do instead."""

    @pytest.fixture
    def terminal(self) -> Terminal:
        """A terminal that shows nothing yet."""
        raise NotImplementedError

    async def test_opening_says_what_was_done_or_what_to_do(self, terminal: Terminal) -> None:
        if not self.available:
            with pytest.raises(NotReady) as caught:
                await terminal.open(attach())
            assert "attach-to demo-1" in str(caught.value)
            return
        assert "demo-1" in await terminal.open(attach())

    async def test_several_are_opened(self, terminal: Terminal) -> None:
        several = [attach(number) for number in (1, 2, 3)]
        if not self.available:
            with pytest.raises(NotReady) as caught:
                await terminal.open_all(several)
            assert all(f"attach-to demo-{number}" in str(caught.value) for number in (1, 2, 3))
            return
        said = await terminal.open_all(several)
        assert all(f"demo-{number}" in said for number in (1, 2, 3))

    async def test_none_to_open_is_no_error(self, terminal: Terminal) -> None:
        assert isinstance(await terminal.open_all([]), str)

    async def test_what_was_never_opened_is_not_open(self, terminal: Terminal) -> None:
        assert not await terminal.is_open(SessionId("demo-1"))
