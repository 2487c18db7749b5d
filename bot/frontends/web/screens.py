"""The terminals that somebody looks at: one batch of looks for all of them, only while somebody does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field

from orchestrator.clock import Clock
from orchestrator.domain.coloured import Picture
from orchestrator.domain.ids import SessionId
from orchestrator.domain.look import Look
from orchestrator.domain.session import Session

PACE = 0.25
"""Seconds between two looks, at least."""
SLOWEST = 2.0
"""Seconds between two looks at screens that do not change."""
Pictures = Callable[[Collection[SessionId]], Awaitable[Mapping[SessionId, Look[Picture]]]]


@dataclass(slots=True, eq=False)
class Eye:
    """One page that shows a terminal."""

    session: SessionId
    awake: asyncio.Event = field(default_factory=asyncio.Event)
    """Something that the page shows may have changed."""


class Screens:
    """Looks for every open page at once."""

    def __init__(self, look: Pictures, clock: Clock) -> None:
        self._look = look
        self._clock = clock
        self._eyes: set[Eye] = set()
        self._shown: dict[SessionId, Look[Picture]] = {}
        self._soon = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    def open(self, session: SessionId) -> Eye:
        """Begin to look at a session for one more page."""
        eye = Eye(session)
        self._eyes.add(eye)
        if session in self._shown:
            eye.awake.set()
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch(), name="terminals in the console")
        self._soon.set()
        return eye

    def close(self, eye: Eye) -> None:
        """The page is gone."""
        self._eyes.discard(eye)
        if all(other.session != eye.session for other in self._eyes):
            self._shown.pop(eye.session, None)
        self._soon.set()

    def shown(self, session: SessionId) -> Look[Picture] | None:
        """What its screen showed last; None before the first look."""
        return self._shown.get(session)

    def hurry(self) -> None:
        """Somebody typed: what that does is seen soon."""
        self._soon.set()

    def tell(self, session: SessionId) -> None:
        """Something else that its pages show has changed."""
        for eye in self._eyes:
            if eye.session == session:
                eye.awake.set()

    def hear(self, session: Session) -> None:
        """A session was kept anew."""
        self.tell(session.id)

    async def stop(self) -> None:
        """Look no more. Repeatable."""
        self._eyes.clear()
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def _watch(self) -> None:
        wait = PACE
        while self._eyes:
            self._soon.clear()
            changed = await self._once()
            wait = PACE if changed else min(2 * wait, SLOWEST)
            await self._clock.sleep(PACE)
            if wait > PACE and not self._soon.is_set():
                await self._until_soon(wait - PACE)

    async def _once(self) -> bool:
        found = await self._look({eye.session for eye in self._eyes})
        changed = False
        for session, look in found.items():
            if self._shown.get(session) != look and any(eye.session == session for eye in self._eyes):
                self._shown[session] = look
                self.tell(session)
                changed = True
        return changed

    async def _until_soon(self, seconds: float) -> None:
        waits = [
            asyncio.create_task(self._soon.wait()),
            asyncio.ensure_future(self._clock.sleep(seconds)),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
