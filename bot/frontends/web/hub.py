"""What changed, counted, for every open page at once: sessions as they are kept, events as they are logged."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Protocol

from orchestrator.domain.event import LoggedEvent
from orchestrator.domain.ids import SessionId
from orchestrator.domain.notification import Notification
from orchestrator.domain.session import Session

MOST_NOTICED = 50


class Sessions(Protocol):
    """What is needed of the fleet."""

    def all(self) -> tuple[Session, ...]:
        """Every live session."""

    def listen(self, hear: Callable[[Session], None]) -> None:
        """Call `hear` with each session that is kept anew."""


class Log(Protocol):
    """What is needed of the event log."""

    @property
    def last_seq(self) -> int:
        """Number of the newest event."""

    async def newest(self, limit: int, *, session: SessionId | None = None) -> tuple[LoggedEvent, ...]:
        """The last events of a session."""

    def follow(self, after: int) -> AsyncIterator[LoggedEvent]:
        """Every event with a greater number, then each new one."""


@dataclass(slots=True, eq=False)
class Ear:
    """What one page has not been told yet."""

    session: str = ""
    """The session whose thread it shows."""
    changed: dict[SessionId, Session] = field(default_factory=dict)
    events: list[LoggedEvent] = field(default_factory=list)
    """Of that session."""
    notices: list[Notification] = field(default_factory=list)
    awake: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self) -> tuple[list[Session], list[LoggedEvent], list[Notification]]:
        """Everything; then nothing is left."""
        found = list(self.changed.values()), self.events, self.notices
        self.changed, self.events, self.notices = {}, [], []
        self.awake.clear()
        return found


class Hub:
    """Hears the fleet and the log once, and tells every page."""

    def __init__(self, fleet: Sessions, log: Log) -> None:
        self._fleet = fleet
        self._log = log
        self.boot = secrets.token_hex(4)
        """Names this run: a page of another run is told everything anew."""
        self._count = 0
        self._changed: dict[SessionId, int] = {}
        self._ended: dict[SessionId, Session] = {}
        """Sessions that came to their end while we listened, as they were then."""
        self._noticed: list[tuple[int, Notification]] = []
        self._ears: set[Ear] = set()
        self._following: asyncio.Task[None] | None = None

    @property
    def at(self) -> str:
        """The newest change, as a page names it when it comes back."""
        return f"{self.boot}-{self._count}-{self._log.last_seq}"

    def start(self) -> None:
        """Begin to listen."""
        self._fleet.listen(self._hear)
        self._following = asyncio.create_task(self._follow(), name="web console")

    async def stop(self) -> None:
        """Listen no more. Repeatable."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
            self._following = None

    def open(self, session: str, at: str) -> tuple[Ear, bool]:
        """An ear that has everything since `at` already; False: that is not known, show everything anew."""
        ear = Ear(session=session)
        self._ears.add(ear)
        boot, _, rest = at.partition("-")
        count, _, seq = rest.partition("-")
        if boot != self.boot or not count.isdigit() or not seq.isdigit():
            return ear, False
        since = int(count)
        for found in (*self._fleet.all(), *self._ended.values()):
            if self._changed.get(found.id, 0) > since:
                ear.changed[found.id] = found
        ear.notices += [notice for number, notice in self._noticed if number > since]
        if ear.changed or ear.notices or (session and int(seq) < self._log.last_seq):
            ear.awake.set()
        return ear, True

    def close(self, ear: Ear) -> None:
        """The page is gone."""
        self._ears.discard(ear)

    def notice(self, notice: Notification) -> None:
        """Tell every page of a notification; one that comes back hears of the newest."""
        self._count += 1
        self._noticed = [*self._noticed[-MOST_NOTICED + 1 :], (self._count, notice)]
        for ear in self._ears:
            ear.notices.append(notice)
            ear.awake.set()

    def ended(self) -> tuple[Session, ...]:
        """Sessions that ended while we listened."""
        live = {session.id for session in self._fleet.all()}
        return tuple(session for session in self._ended.values() if session.id not in live)

    def _hear(self, session: Session) -> None:
        self._count += 1
        self._changed[session.id] = self._count
        if session.ended:
            self._ended[session.id] = session
        else:
            self._ended.pop(session.id, None)
        for ear in self._ears:
            ear.changed[session.id] = session
            ear.awake.set()

    async def _follow(self) -> None:
        async for logged in self._log.follow(self._log.last_seq):
            for ear in self._ears:
                if ear.session and logged.event.session == ear.session:
                    ear.events.append(logged)
                    ear.awake.set()
