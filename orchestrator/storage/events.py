"""The event log: everything that happened, in one sequence over all projects; append-only.

Whoever tells people of events reads it from a position of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from orchestrator.domain.event import Event, LoggedEvent
from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.storage.codec import EVENT, from_json, to_json
from orchestrator.storage.damage import Damaged
from orchestrator.storage.faults import Faults
from orchestrator.storage.group import GroupCommit
from orchestrator.storage.lanes import Lanes
from orchestrator.storage.segments import HEADER, ROTATE_BYTES, Segments

_PAGE = 256
_KEPT_DAMAGE = 100


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which events a reader asked for."""

    session: SessionId | None
    project: ProjectId | None

    def may_be(self, line: bytes) -> bool:
        """A test that costs no decoding. Quotes inside a text are escaped, so only a value matches."""
        return all(_quoted(name) in line for name in (self.session, self.project) if name is not None)

    def fits(self, event: Event) -> bool:
        """Whether this event was asked for."""
        return self.session in {None, event.session} and self.project in {None, event.project}


@dataclass(frozen=True, slots=True)
class _Page:
    events: tuple[LoggedEvent, ...]
    seen: int
    """Number of the last line that was looked at, whether it was wanted or not."""


class EventLog:
    """The log under `$AO_HOME/events`. `open` or `look` first, `close` last."""

    def __init__(self, folder: Path, faults: Faults, *, rotate_bytes: int = ROTATE_BYTES) -> None:
        self._segments = Segments(folder, faults, rotate_bytes)
        self._writer = Lanes(1, "ao-log")
        self._reader = Lanes(1, "ao-log-read")
        self._group: GroupCommit[Sequence[Event], tuple[LoggedEvent, ...]] = GroupCommit(
            self._writer, "log", self._commit
        )
        self._changed = asyncio.Event()
        self._closed = False
        self.damaged: list[Damaged] = []
        """Lines that could not be read so far; reading goes on after each."""

    @property
    def last_seq(self) -> int:
        """Number of the newest durable event; 0 in an empty log."""
        return self._segments.last_seq

    async def open(self) -> tuple[Damaged, ...]:
        """Heal the end of the log after a crash. Returns what was cut off."""
        return await self._writer.run("log", self._segments.open)

    async def look(self) -> None:
        """Open it for reading what is there now, by whoever does not hold the lock; nothing is healed."""
        await self._reader.run("read", self._segments.look)

    async def close(self) -> None:
        """Finish what is being written, end every `follow`, close the files."""
        await self._group.settle()
        self._closed = True
        self._changed.set()
        await self._writer.run("log", self._segments.close)
        await self._writer.close()
        await self._reader.close()

    async def append(self, events: Sequence[Event]) -> tuple[LoggedEvent, ...]:
        """Add events, in order and together, and return when they are on the disk, numbered.

        Calls that come while another one is written are written and synced together.
        Raises `TemporaryError` when the disk does not take them; they are then not in the log.
        """
        if not events:
            return ()
        logged = await self._group.submit(tuple(events))
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        return logged

    def _commit(self, batches: Sequence[Sequence[Event]]) -> list[tuple[LoggedEvent, ...]]:
        seq = self._segments.last_seq
        done: list[tuple[LoggedEvent, ...]] = []
        for events in batches:
            done.append(tuple(LoggedEvent(seq=seq + n, event=event) for n, event in enumerate(events, 1)))
            seq += len(events)
        self._segments.append([_line(logged) for batch in done for logged in batch])
        return done

    async def read(
        self, after: int, limit: int, *, session: SessionId | None = None, project: ProjectId | None = None
    ) -> tuple[LoggedEvent, ...]:
        """At most `limit` events with a higher number than `after`, the oldest first.

        With `session` or `project`, theirs only. Fewer than `limit` means: there are no more.
        """
        page = await self._page(after, limit, _Wanted(session, project))
        return page.events

    async def newest(
        self, limit: int, *, session: SessionId | None = None, project: ProjectId | None = None
    ) -> tuple[LoggedEvent, ...]:
        """The last `limit` events, the oldest of them first."""
        return await self._reader.run("read", self._newest, limit, _Wanted(session, project))

    async def follow(
        self, after: int, *, session: SessionId | None = None, project: ProjectId | None = None
    ) -> AsyncIterator[LoggedEvent]:
        """Every event with a higher number than `after`, the coming ones as well, until the log is closed."""
        wanted = _Wanted(session, project)
        while not self._closed:
            changed = self._changed
            page = await self._page(after, _PAGE, wanted)
            for logged in page.events:
                yield logged
            if page.seen > after:
                after = page.seen
            else:
                await changed.wait()

    async def _page(self, after: int, limit: int, wanted: _Wanted) -> _Page:
        if after >= self.last_seq or limit < 1:
            return _Page((), after)
        return await self._reader.run("read", self._read, after, limit, wanted)

    def _read(self, after: int, limit: int, wanted: _Wanted) -> _Page:
        found: list[LoggedEvent] = []
        seen = after
        for line in self._segments.lines_after(after):
            header = HEADER.match(line)
            seen = int(header[2]) if header else seen
            found.extend(self._decoded(line, wanted))
            if len(found) == limit:
                break
        return _Page(tuple(found), seen)

    def _newest(self, limit: int, wanted: _Wanted) -> tuple[LoggedEvent, ...]:
        lines = self._segments.newest_first()
        backwards = (logged for line in lines for logged in self._decoded(line, wanted))
        return tuple(reversed(tuple(islice(backwards, max(limit, 0)))))

    def _decoded(self, line: bytes, wanted: _Wanted) -> Iterator[LoggedEvent]:
        """The event of a line, if it is wanted and can be read."""
        if not wanted.may_be(line):
            return
        try:
            logged = _logged(line)
        except ValueError as error:
            self._tell_damage(line, error)
            return
        if wanted.fits(logged.event):
            yield logged

    def _tell_damage(self, line: bytes, error: ValueError) -> None:
        header = HEADER.match(line)
        name = f"event {int(header[2])}" if header else f"the line {line[:40]!r}"
        damage = Damaged(path=self._segments.folder, reason=f"{name} cannot be read: {error}")
        if damage not in self.damaged and len(self.damaged) < _KEPT_DAMAGE:
            self.damaged.append(damage)

    async def last_numbers(self, sessions: Iterable[SessionId]) -> dict[SessionId, int]:
        """The number at the end of the newest event's id, for each session that has events.

        Events of a session are appended in the order of their ids, so all up to that one are here.
        """
        return await self._reader.run("read", self._last_numbers, frozenset(sessions))

    def _last_numbers(self, sessions: frozenset[str]) -> dict[SessionId, int]:
        found: dict[SessionId, int] = {}
        for line in self._segments.newest_first():
            if len(found) == len(sessions):
                break
            header = HEADER.match(line)
            session, _, number = (header[3].decode() if header else "").rpartition(":")
            if session in sessions and number.isdecimal():
                found.setdefault(SessionId(session), int(number))
        return found


def _line(logged: LoggedEvent) -> bytes:
    """One line of the log; begins as `segments.HEADER` expects."""
    document = EVENT.to_document(logged.event)
    return to_json({"v": document.pop("v"), "seq": logged.seq, **document})


def _logged(line: bytes) -> LoggedEvent:
    document = from_json(line)
    if not isinstance(document, dict) or not isinstance(seq := document.pop("seq", None), int):
        msg = "it has no number"
        raise ValueError(msg)
    return LoggedEvent(seq=seq, event=EVENT.from_document(document))


def _quoted(name: str) -> bytes:
    return f'"{name}"'.encode()
