"""Reads agents' signals through their places, each file once: an idle agent costs one listing of a folder."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from orchestrator.domain.activity import Source
from orchestrator.domain.ids import SessionId
from orchestrator.domain.usage import Usage
from orchestrator.errors import NotFound
from orchestrator.ports.place import Entry, Place
from plugins._shared.agent_profile import Profile
from plugins._shared.agent_signals import AgentEvent, Signalled, fold, newer, read_event, read_status
from plugins._shared.agent_usage import read_usage
from plugins._shared.profile_signals import EventFields, EventKind, StatusFile, UsageFile

EVENTS = "agent/events"
LAUNCH = "agent/launch.json"
MOST_EVENT = 512 * 1024
"""Bytes of an event that are read; of a longer one what stands at its beginning is known."""
MOST_AT_ONCE = 100
"""Event files that are read in one look. The first look takes the newest, a later one the oldest."""
MOST_FILES = 300
KEPT_FILES = 100
"""Above `MOST_FILES` events the oldest are removed until so many are left."""
RACY = 2.0
"""Seconds for which a folder's time is not trusted: a file may come within the clock's grain."""
KEPT_SESSIONS = 4_000


@dataclass(slots=True)
class _Kept:
    """What is known of one session from earlier looks."""

    names: set[str] = field(default_factory=set)
    folder: float = -1.0
    """The time of the events' folder when it was last listed; -1: list it."""
    signalled: Signalled = field(default_factory=Signalled)
    launch: float = -1.0
    earlier: frozenset[str] = frozenset()
    """Events of earlier runs: they do not tell what the agent does now."""
    status_seen: tuple[float, int] = (-1.0, -1)
    status: Signalled | None = None
    usage_seen: tuple[float, int] = (-1.0, -1)
    usage: Usage | None = None


class SignalReader:
    """The signals of all sessions of one agent plugin."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._events = profile.events
        self._status = profile.status if profile.status and profile.status.path.startswith("agent/") else None
        self._kept: dict[SessionId, _Kept] = {}

    async def launched(self, session: SessionId, place: Place, now: float) -> None:
        """Remember that what lies there now belongs to earlier runs. Called before a launch."""
        names = [entry.name for entry in await place.list(f"{place.folder}/{EVENTS}")]
        marker = json.dumps({"v": 1, "at": now, "earlier": names}).encode()
        await place.write(f"{place.folder}/{LAUNCH}", marker)
        self._kept.pop(session, None)

    def known(self, session: SessionId) -> Signalled | None:
        """What the last look brought, without looking; None before the first."""
        kept = self._kept.get(session)
        return _newest(kept)[0] if kept else None

    def usage(self, session: SessionId) -> Usage | None:
        """What the agent's own count said at the last look."""
        kept = self._kept.get(session)
        return kept.usage if kept else None

    def interrupted(self, session: SessionId, now: float, told_by: Source) -> Signalled:
        """The agent's turn ended by an interrupt, of which it gives no event; newer events go on from that."""
        kept = self._kept[session]
        event = AgentEvent(kind=EventKind.INTERRUPTED, at=now)
        kept.signalled = replace(fold(self._profile, kept.signalled, event), told_by=told_by)
        return kept.signalled

    async def read(self, session: SessionId, place: Place, now: float) -> tuple[Signalled, Source]:
        """What its signals say now, and which of them says it. Raises what the place raises."""
        if self._events is None and self._status is None:
            return Signalled(), Source.NONE
        kept = self._kept.pop(session, None) or _Kept()
        if len(self._kept) >= KEPT_SESSIONS:
            del self._kept[next(iter(self._kept))]
        self._kept[session] = kept
        entries = {entry.name: entry for entry in await place.list(f"{place.folder}/agent")}
        await self._look_at_launch(kept, place, entries)
        if self._events is not None and "events" in entries:
            await self._look_at_events(kept, self._events, place, entries["events"], now)
        if self._status is not None:
            await self._look_at_status(kept, self._status, place, entries, now)
        if self._profile.usage is not None:
            await _look_at_usage(kept, self._profile.usage, place, entries)
        return _newest(kept)

    async def _look_at_launch(self, kept: _Kept, place: Place, entries: dict[str, Entry]) -> None:
        entry = entries.get(LAUNCH.rpartition("/")[2])
        if entry is None or entry.modified == kept.launch:
            return
        names = _earlier(await place.read(f"{place.folder}/{LAUNCH}"))
        kept.names, kept.signalled, kept.folder = set(), Signalled(), -1.0
        kept.launch, kept.earlier = entry.modified, names

    async def _look_at_events(
        self, kept: _Kept, fields: EventFields, place: Place, folder: Entry, now: float
    ) -> None:
        if folder.modified == kept.folder:
            return
        found = await place.list(f"{place.folder}/{EVENTS}")
        files = [e for e in found if e.kind == "file" and e.name.endswith(".json") and e.name[0] != "."]
        files.sort(key=lambda entry: (entry.modified, entry.name))
        if not kept.names:
            # We were restarted: the newest suffice, and reading all of a large fleet would take long.
            kept.names.update(entry.name for entry in files[:-MOST_AT_ONCE])
        new = [e for e in files if e.name not in kept.names]
        for entry in new[:MOST_AT_ONCE]:
            kept.names.add(entry.name)
            await self._take(kept, fields, place, entry, now)
        settled = _settled(folder, now) and len(new) <= MOST_AT_ONCE
        kept.folder = folder.modified if settled else -1.0
        if len(files) > MOST_FILES:
            await _prune(place, kept, [entry.name for entry in files[:-KEPT_FILES]])

    async def _take(self, kept: _Kept, fields: EventFields, place: Place, entry: Entry, now: float) -> None:
        try:
            data = await place.read(f"{place.folder}/{EVENTS}/{entry.name}", limit=MOST_EVENT)
        except NotFound:
            return  # The agent's own affair; an event that is gone says nothing.
        event = read_event(fields, data, entry.modified, now, entry.name)
        if event is not None:
            counts = entry.name not in kept.earlier
            kept.signalled = fold(self._profile, kept.signalled, event, counts=counts)

    @staticmethod
    async def _look_at_status(
        kept: _Kept, file: StatusFile, place: Place, entries: dict[str, Entry], now: float
    ) -> None:
        entry = entries.get(file.path.rpartition("/")[2])
        if entry is None or entry.modified < kept.launch:
            kept.status = None
        elif (entry.modified, entry.size) != kept.status_seen:
            data = await place.read(f"{place.folder}/{file.path}", limit=MOST_EVENT)
            kept.status = read_status(file, data, entry.modified, now) or kept.status
            kept.status_seen = (entry.modified, entry.size) if _settled(entry, now) else (-1.0, -1)


async def _look_at_usage(kept: _Kept, file: UsageFile, place: Place, entries: dict[str, Entry]) -> None:
    entry = entries.get(file.path.rpartition("/")[2])
    if entry is not None and (entry.modified, entry.size) != kept.usage_seen:
        kept.usage_seen = (entry.modified, entry.size)
        data = await place.read(f"{place.folder}/{file.path}", limit=MOST_EVENT)
        kept.usage = read_usage(file, data) or kept.usage


def _settled(entry: Entry, now: float) -> bool:
    """Its time can be trusted to change with the next change; 0 is no time."""
    return entry.modified > 0 and now - entry.modified > RACY


def _newest(kept: _Kept) -> tuple[Signalled, Source]:
    status = kept.status
    if status is None or status.at < kept.signalled.at:
        return kept.signalled, Source.HOOK
    # The file tells the state; receipts, running tools and what is asked only the events know.
    merged = newer(kept.signalled, status)
    return merged, Source.STATUS_FILE


def _earlier(data: bytes) -> frozenset[str]:
    """Names in the launch marker. It lies where the agent can write: anything else is no name."""
    try:
        names = json.loads(data)["earlier"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return frozenset()
    return (
        frozenset(name for name in names if isinstance(name, str)) if isinstance(names, list) else frozenset()
    )


async def _prune(place: Place, kept: _Kept, names: Collection[str]) -> None:
    for name in names:
        await place.remove(f"{place.folder}/{EVENTS}/{name}")
        kept.names.discard(name)
    kept.folder = -1.0
