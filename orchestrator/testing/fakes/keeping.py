"""The real keeper over a disk that a test fills, or slows down, for some sessions."""

from __future__ import annotations

import asyncio

from typing_extensions import override

from orchestrator.domain.ids import SessionId
from orchestrator.domain.session import Session
from orchestrator.errors import TemporaryError
from orchestrator.lifecycle.fleet import Keeping


class FakeKeeping(Keeping):
    """Pass `over` to `open_ring`; it may be passed again to a ring that comes after a crash.

    What was begun is carried through even if the caller is cancelled, as with the real one.
    """

    def __init__(self) -> None:
        self.full: set[SessionId] = set()
        """Sessions for which the disk is full."""
        self.gate = asyncio.Event()
        """What is kept waits until it is set."""
        self.gate.set()
        self.begun = asyncio.Event()
        """Set when something began to be kept; a test clears it."""
        self._keeper: Keeping = self

    def over(self, keeper: Keeping) -> Keeping:
        """Stand before this keeper from now on."""
        self._keeper = keeper
        return self

    @override
    async def keep(self, session: Session) -> Session:
        return await asyncio.shield(self._kept(session))

    async def _kept(self, session: Session) -> Session:
        await self._disk(session)
        return await self._keeper.keep(session)

    @override
    async def restore(self, session: Session) -> Session:
        await self._disk(session)
        return await self._keeper.restore(session)

    @override
    async def end(self, session: Session) -> None:
        await asyncio.shield(self._ended(session))

    async def _ended(self, session: Session) -> None:
        await self._disk(session)
        await self._keeper.end(session)

    @override
    async def retry(self) -> None:
        await self._keeper.retry()

    async def _disk(self, session: Session) -> None:
        self.begun.set()
        await self.gate.wait()
        if session.id in self.full:
            msg = "the disk is full"
            raise TemporaryError(msg, session=session.id)
