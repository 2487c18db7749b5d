"""Keeps every session's card and thread on one surface true. One instance a surface.

It follows the event log from its kept position and hears of every change of a session. A conversation that
fails backs off alone; nothing of it is lost, since the log has the events.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.chat.card import card, digest
from bot.chat.room import Room
from bot.chat.talk import Talk, Teller
from orchestrator.clock import Clock
from orchestrator.domain.conversation import Conversation
from orchestrator.domain.event import LoggedEvent
from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.session import Session
from orchestrator.errors import AoError, TemporaryError

log = logging.getLogger(__name__)
AT_ONCE = 8
"""Conversations of a surface that are brought up to date side by side."""
STEPS = (1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 60.0)
"""Seconds that one waits after failures in a row; the last one is repeated."""
POSITION_EVERY = 200
"""Events after which the position is kept; a restart hears that many again at most, and tells none twice."""


class Sessions(Protocol):
    """What is needed of the fleet."""

    def all(self) -> tuple[Session, ...]:
        """Every live session."""

    def listen(self, hear: Callable[[Session], None]) -> None:
        """Call `hear` with each session that is kept anew."""


class Kept(Protocol):
    """Where conversations are kept."""

    async def read(self, project: ProjectId, session: SessionId, surface: str) -> Conversation:
        """What is kept of one."""

    async def write(
        self, project: ProjectId, session: SessionId, surface: str, conversation: Conversation
    ) -> None:
        """Keep one."""


class Log(Protocol):
    """What is needed of the event log."""

    @property
    def last_seq(self) -> int:
        """Number of the newest event."""

    def follow(self, after: int) -> AsyncIterator[LoggedEvent]:
        """Every event with a greater number, then each new one."""


class Positions(Protocol):
    """Where the surface's position is kept."""

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - JSON of any shape
        """A kept value."""

    async def set(self, name: str, value: Any) -> None:  # noqa: ANN401 - JSON of any shape
        """Keep a value."""


Find = Callable[[SessionId], Awaitable[Session | None]]
"""A session by its id, live or ended."""


@dataclass(kw_only=True)
class Conversations:
    """All conversations of one surface."""

    room: Room
    sessions: Sessions
    find: Find
    kept: Kept
    log: Log
    positions: Positions
    clock: Clock
    trouble: dict[str, str] = field(default_factory=dict)
    """Why a session's conversation is behind, by its id."""
    _talks: dict[SessionId, Talk] = field(default_factory=dict)
    _tasks: dict[SessionId, asyncio.Task[None]] = field(default_factory=dict)
    _shown: dict[SessionId, str] = field(default_factory=dict)
    """What each card shows, by a short name: most changes of a session are none of its card."""
    _edited: dict[SessionId, float] = field(default_factory=dict)
    """Monotonic time of each card's last edit."""
    _threads: dict[tuple[str, str], SessionId] = field(default_factory=dict)
    """(channel, card) -> session."""
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    _seen: int = 0
    _saved: int = 0
    _following: asyncio.Task[None] | None = None
    _stopping: bool = False

    @property
    def _key(self) -> str:
        return f"conversations:{self.room.surface}"

    async def start(self) -> None:
        """Begin: what changed while nothing ran is told now. Raises `TemporaryError`."""
        after = self.positions.get(self._key)
        if after is None:
            # A surface that is new hears of what happens from now on, and shows the sessions that are there.
            after = self.log.last_seq
            await self.positions.set(self._key, after)
        self._seen = self._saved = int(after)
        self.sessions.listen(self._changed)
        self._following = asyncio.create_task(self._follow(), name=f"conversations {self.room.surface}")
        for session in self.sessions.all():
            self._changed(session)

    async def stop(self) -> None:
        """Stop telling; the next start goes on. Repeatable."""
        self._stopping = True
        tasks = [*self._tasks.values(), *([self._following] if self._following else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._following is not None:
            self._following = None
            await self._save()

    def session_at(self, channel: str, card: str) -> SessionId | None:
        """The session whose card it is, and whose thread is under it; None where it is none that lives here."""
        return self._threads.get((channel, card))

    def refresh(self, session: Session) -> None:
        """Show a session's card anew, as after a press of a button that was out of date."""
        self._shown.pop(session.id, None)
        self._changed(session)

    def _changed(self, session: Session) -> None:
        if self._stopping:
            return
        talk = self._talks.get(session.id)
        if talk is None:
            if self._shown.get(session.id) == digest(card(session)):
                return
            talk = self._talks[session.id] = Talk(session=session)
        talk.session, talk.stale = session, True
        self._engage(session.id)

    async def _follow(self) -> None:
        async for logged in self.log.follow(self._seen):
            session = logged.event.session
            if session is not None:
                await self._hear(session, logged)
            self._seen = logged.seq
            if self._low() - self._saved >= POSITION_EVERY:
                await self._try_save()

    async def _hear(self, session: SessionId, logged: LoggedEvent) -> None:
        talk = self._talks.get(session)
        if talk is None:
            found = await self.find(session)
            if found is None:
                return  # nobody has it any more
            talk = self._talks.setdefault(session, Talk(session=found))
        talk.pending.append(logged)
        self._engage(session)

    def _engage(self, session: SessionId) -> None:
        self._talks[session].news.set()
        if session not in self._tasks:
            self._tasks[session] = asyncio.create_task(self._work(session), name=f"conversation {session}")

    async def _work(self, session: SessionId) -> None:
        talk = self._talks[session]
        try:
            while talk.due:
                talk.news.clear()
                rest = self._rest(talk)
                if rest > 0 and not talk.pending:
                    await self._news_or(talk, rest)
                    continue
                await self._attempt(talk)
        finally:
            self._over(session, talk)

    async def _attempt(self, talk: Talk) -> None:
        session = talk.session.id
        try:
            async with self._slots:
                await self._bring_up(talk)
        except TemporaryError as error:
            await self._wait(talk, str(error), error.delay)
        except AoError as error:
            # Refused for good: that one post is lost there, and the reason is seen.
            log.warning("not told: %s", error, extra={"session": session})
            self.trouble[session] = str(error)
            if talk.pending:
                talk.pending.popleft()
            else:
                talk.stale = False
        except Exception as error:
            log.exception("a conversation failed", extra={"session": session})
            await self._wait(talk, f"{type(error).__name__}: {error}", 0.0)

    def _rest(self, talk: Talk) -> float:
        """Seconds until the card may be edited again."""
        last = self._edited.get(talk.session.id)
        return 0.0 if last is None else last + self.room.pace - self.clock.monotonic()

    async def _news_or(self, talk: Talk, seconds: float) -> None:
        """Return when there is something new for the thread, or after so many seconds."""
        waits = [
            asyncio.create_task(talk.news.wait(), name="news"),
            asyncio.create_task(self.clock.sleep(seconds), name="pace"),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _over(self, session: SessionId, talk: Talk) -> None:
        self._tasks.pop(session, None)
        if not talk.due:
            self._talks.pop(session, None)
        elif not self._stopping:  # else it stays: the position that is kept does not pass what was not told
            self._engage(session)

    async def _bring_up(self, talk: Talk) -> None:
        session = talk.session
        where = (session.project, session.id, self.room.surface)

        async def write(conversation: Conversation) -> None:
            await self.kept.write(*where, conversation)

        teller = Teller(self.room, talk, await self.kept.read(*where), write, self.clock.now())
        if teller.kept.card:
            self._threads[teller.kept.channel, teller.kept.card] = session.id
        await teller.tell()
        if teller.kept.card:
            self._threads[teller.kept.channel, teller.kept.card] = session.id
        if talk.stale and self._rest(talk) <= 0 and await teller.show():
            self._edited[session.id] = self.clock.monotonic()
        if not talk.stale:
            self._shown[session.id] = teller.kept.shown
        talk.failures = 0
        self.trouble.pop(session.id, None)

    async def _wait(self, talk: Talk, reason: str, delay: float) -> None:
        self.trouble[talk.session.id] = reason
        talk.failures += 1
        await self.clock.sleep(max(delay, STEPS[min(talk.failures, len(STEPS)) - 1]))

    def _low(self) -> int:
        """Every event up to this number is told, or needs not be."""
        first: Iterable[int] = (talk.pending[0].seq for talk in self._talks.values() if talk.pending)
        return min((self._seen, *(seq - 1 for seq in first)))

    async def _try_save(self) -> None:
        try:
            await self._save()
        except TemporaryError as error:
            log.warning("a position was not kept: %s", error)

    async def _save(self) -> None:
        low = self._low()
        if low != self._saved:
            await self.positions.set(self._key, low)
            self._saved = low
