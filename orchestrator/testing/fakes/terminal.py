"""A terminal that only remembers, for tests of whatever opens one."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import override

from orchestrator.domain.ids import SessionId
from orchestrator.errors import NotReady
from orchestrator.ports.terminal import Attach, Terminal


class FakeTerminal(Terminal):
    """What was opened, in order. `broken` says why none can be had."""

    def __init__(self) -> None:
        self.opened: list[Attach] = []
        self.broken = ""

    @override
    async def open(self, what: Attach) -> str:
        if self.broken:
            raise NotReady(self.broken)
        if not await self.is_open(what.session):
            self.opened.append(what)
        return f"opened {what.session}"

    @override
    async def open_all(self, what: Sequence[Attach]) -> str:
        return "\n".join([await self.open(each) for each in what])

    @override
    async def is_open(self, session: SessionId) -> bool:
        return any(each.session == session for each in self.opened)
