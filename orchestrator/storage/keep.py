"""The write path of a session: its document with its new events inside, then the log.

1. The document is replaced atomically, the new events in its outbox.
2. The events are appended to the log.
3. The outbox is emptied by the next write of that session, or by `flush` when stopping.

A crash between 1 and 2 leaves events that only the document has: `open` appends them. A crash after 2
leaves events that both have: their ids tell. So nothing is lost and nothing is there twice.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from orchestrator.domain.event import Event
from orchestrator.domain.ids import SessionId
from orchestrator.domain.session import Session
from orchestrator.errors import TemporaryError
from orchestrator.storage.documents import Documents, Loaded
from orchestrator.storage.events import EventLog


class Keeper:
    """Keeps sessions: one write of a session at a time, of several side by side."""

    def __init__(self, documents: Documents, log: EventLog) -> None:
        self._documents = documents
        self._log = log
        self._locks: defaultdict[SessionId, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._logged: dict[SessionId, int] = {}
        """Number of each session's newest event that the log has."""
        self._behind: dict[SessionId, Session] = {}
        """Sessions whose document still has an outbox, as they were last kept."""
        self.trouble: TemporaryError | None = None
        """Why events wait in documents instead of being in the log; None when none waits."""

    async def open(self) -> Loaded:
        """Load every live session and complete the log from their outboxes.

        The sessions come with an empty outbox: it belongs to this class alone.
        """
        loaded = await self._documents.load_all()
        behind = [session for session in loaded.sessions if session.outbox]
        self._logged = {session.id: session.event_serial for session in loaded.sessions}
        found = await self._log.last_numbers(session.id for session in behind)
        for session in behind:
            self._logged[session.id] = found.get(session.id, 0)
            self._behind[session.id] = session
        await self._append(behind)
        return replace(loaded, sessions=tuple(replace(s, outbox=()) for s in loaded.sessions))

    async def keep(self, session: Session, events: Sequence[Event] = ()) -> Session:
        """Keep a session together with events that tell of the change; return it with its outbox empty.

        New events are `session.outbox` and `events`; ids that are in the log already are left out.
        Returns once the document is on the disk and the events are too, in the log or, if the log does
        not take them now (`trouble` says why), in the document. Raises `TemporaryError` when the
        document cannot be written: what was kept before is then intact and nothing is told.
        Once begun it is carried through even if the caller is cancelled.
        """
        return await asyncio.shield(self._keep(session, events))

    async def _keep(self, session: Session, events: Sequence[Event]) -> Session:
        async with self._locks[session.id]:
            outbox = self._new_events(session, events)
            full = replace(session, outbox=outbox)
            await self._documents.write(full)
            self._behind.pop(session.id, None)
            if outbox:
                self._behind[session.id] = full
                await self._append([full])
            return replace(session, outbox=())

    def _new_events(self, session: Session, events: Sequence[Event]) -> tuple[Event, ...]:
        """What the log lacks, by id, in order: from earlier writes, then from this one."""
        waiting = self._unlogged(session.id)
        logged = self._logged.get(session.id, 0)
        by_number = {_number(event): event for event in (*waiting, *session.outbox, *events)}
        return tuple(by_number[number] for number in sorted(by_number) if number > logged)

    def _unlogged(self, session: SessionId) -> tuple[Event, ...]:
        """Events that only the session's document has."""
        logged = self._logged.get(session, 0)
        behind = self._behind.get(session)
        return tuple(event for event in behind.outbox if _number(event) > logged) if behind else ()

    async def _append(self, sessions: Iterable[Session]) -> None:
        """Bring what waits in documents into the log. A log that refuses leaves it where it is."""
        waiting = [event for session in sessions for event in self._unlogged(session.id)]
        try:
            await self._log.append(waiting)
        except TemporaryError as error:
            self.trouble = error
            return
        for event in waiting:
            if event.session is not None:
                self._logged[event.session] = _number(event)
        if self.trouble is not None and not any(map(self._unlogged, self._behind)):
            self.trouble = None

    async def retry(self) -> None:
        """Try again to bring events into the log that it refused; `trouble` says whether it worked."""
        if self.trouble is None:
            return
        for session in list(self._behind.values()):
            async with self._locks[session.id]:
                await self._append([session])

    async def end(self, session: Session, events: Sequence[Event] = ()) -> None:
        """Keep a session for the last time and move its folder among the ended ones.

        Raises `TemporaryError`, also when the log does not take its events: nothing reads the outbox
        of an ended session. It is repeatable.
        """
        await asyncio.shield(self._end(session, events))

    async def _end(self, session: Session, events: Sequence[Event]) -> None:
        await self._keep(session, events)
        async with self._locks[session.id]:
            if self._unlogged(session.id):
                raise self.trouble or TemporaryError("The event log takes no events.", session=session.id)
            await self._empty(session.id)
            await self._documents.move_to_ended(session.project, session.id)
        del self._locks[session.id]
        self._logged.pop(session.id, None)

    async def _empty(self, session: SessionId) -> None:
        """Write the document without its outbox, which the log has."""
        behind = self._behind.get(session)
        if behind is not None:
            await self._documents.write(replace(behind, outbox=()))
            del self._behind[session]

    async def restore(self, session: Session, events: Sequence[Event] = ()) -> Session:
        """Move an ended session's folder back and keep it as given. Raises `NotFound`, `TemporaryError`.

        When it cannot be kept, it is among the ended ones again as it was.
        """
        await self._documents.bring_back(session.project, session.id)
        numbers = [_number(event) for event in (*session.outbox, *events)]
        self._logged.setdefault(session.id, min(numbers, default=session.event_serial + 1) - 1)
        try:
            return await self.keep(session, events)
        except TemporaryError:
            self._logged.pop(session.id, None)
            await self._documents.move_to_ended(session.project, session.id)
            raise

    async def flush(self) -> None:
        """Empty every outbox whose events the log has, when stopping: the next start has less to look up.

        Raises `TemporaryError`.
        """
        await self.retry()
        for session in list(self._behind):
            async with self._locks[session]:
                if not self._unlogged(session):
                    await self._empty(session)


def _number(event: Event) -> int:
    """The number at the end of an event's id. Raises `ValueError` for an id without one."""
    return int(event.id.rpartition(":")[2])
