"""The real keeper over a disk that a test fills, or slows down, for some sessions."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

from typing_extensions import override

from orchestrator.domain.ids import SessionId
from orchestrator.domain.session import Session
from orchestrator.errors import TemporaryError
from orchestrator.lifecycle.fleet import Keeping

T = TypeVar("T")


class FakeKeeping(Keeping):
    """Pass `over` to `open_ring`; it may be passed again to a ring that comes after a crash.

    What was begun is carried through even if the caller is cancelled, as with the real one.
    """

    def __init__(self) -> None:
        self.full: set[SessionId] = set()
        """Sessions for which the disk is full."""
        self.gates: dict[str, asyncio.Event] = {}
        """By call (`keep`, `end`): it is done and does not return before this is set."""
        self.waits = asyncio.Event()
        """Set once a call waits at its gate."""
        self._keeper: Keeping = self

    def over(self, keeper: Keeping) -> Keeping:
        """Stand before this keeper from now on."""
        self._keeper = keeper
        return self

    @override
    async def keep(self, session: Session) -> Session:
        self._disk(session)
        return await asyncio.shield(self._gated("keep", self._keeper.keep(session)))

    @override
    async def restore(self, session: Session) -> Session:
        self._disk(session)
        return await self._keeper.restore(session)

    @override
    async def end(self, session: Session) -> None:
        self._disk(session)
        await asyncio.shield(self._gated("end", self._keeper.end(session)))

    @override
    async def retry(self) -> None:
        await self._keeper.retry()

    def _disk(self, session: Session) -> None:
        if session.id in self.full:
            msg = "the disk is full"
            raise TemporaryError(msg, session=session.id)

    async def _gated(self, call: str, work: Coroutine[object, object, T]) -> T:
        done = await work
        if call in self.gates:
            self.waits.set()
            await self.gates[call].wait()
        return done
