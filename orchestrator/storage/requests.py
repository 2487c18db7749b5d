"""What was asked of the fleet: kept before it is acknowledged, and answered even after a crash."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from orchestrator.disk import sync_folder
from orchestrator.domain.person import Actor
from orchestrator.errors import Conflict, NotFound, TemporaryError
from orchestrator.storage.codec import Form, from_json, to_json
from orchestrator.storage.damage import Damaged, free_name, write_failed
from orchestrator.storage.durable import read_file, replace_file
from orchestrator.storage.faults import Faults
from orchestrator.storage.group import GroupCommit
from orchestrator.storage.journal import Journal
from orchestrator.storage.lanes import Lanes

log = logging.getLogger(__name__)
KEPT_DONE = 1000
"""Finished requests that are remembered, for whoever asks again with the same key."""
COMPACT_BYTES = 1 << 20
"""Size from which the file is written anew without what is forgotten, when it has doubled since the last time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody wants done, as it was understood."""

    verb: str
    by: Actor
    at: float
    arguments: dict[str, Any] = field(default_factory=dict)
    """JSON's own types only."""
    key: str = ""
    """Idempotency key: the same key from the same actor is the same request."""
    surface: str = ""
    """Where it was asked: `api`, `slack`."""
    place: str = ""
    """Where its answer goes, in the surface's own JSON; empty where the answer is fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How it ended."""

    ok: bool
    at: float
    text: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    """JSON's own types only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRecord:
    """One request as kept."""

    id: str
    asked: Asked
    outcome: Outcome | None = None


REQUEST = Form("request", RequestRecord)


class Requests:
    """The requests under one home. `open` first, `close` last."""

    def __init__(
        self, path: Path, faults: Faults, *, kept_done: int = KEPT_DONE, compact_bytes: int = COMPACT_BYTES
    ) -> None:
        self._path = path
        self._kept_done = kept_done
        self._compact_bytes = self._compact_at = compact_bytes
        self._faults = faults
        self._journal = Journal(path, faults, "request")
        self._lanes = Lanes(1, "ao-requests")
        self._group: GroupCommit[bytes, None] = GroupCommit(self._lanes, "requests", self._commit)
        self._records: dict[str, RequestRecord] = {}
        self._by_key: dict[tuple[Actor, str], str] = {}
        self._being_kept: dict[str, asyncio.Future[None]] = {}

    async def open(self) -> tuple[Damaged, ...]:
        """Read what was kept, heal its end after a crash, and forget what was finished long ago."""
        records, damaged = await self._lanes.run("requests", self._load)
        self._records = records
        self._by_key = {(r.asked.by, r.asked.key): r.id for r in records.values() if r.asked.key}
        return damaged

    async def close(self) -> None:
        """Finish what is being written."""
        await self._group.settle()
        await self._lanes.run("requests", self._journal.close)
        await self._lanes.close()

    async def keep(self, asked: Asked) -> tuple[RequestRecord, bool]:
        """Keep a request; return once it is on the disk. False: it was asked before, with the same key.

        Raises `Conflict` when that key was used for something else, `TemporaryError` when the disk
        refuses: it is then not kept and must not be acknowledged.
        """
        earlier = self.find_key(asked.by, asked.key)
        if earlier is not None:
            if (earlier.asked.verb, earlier.asked.arguments) != (asked.verb, asked.arguments):
                msg = f"The key {asked.key!r} was used for another request ({earlier.asked.verb})."
                raise Conflict(msg)
            if earlier.id in self._being_kept:
                await asyncio.shield(self._being_kept[earlier.id])
            return self._records[earlier.id], False
        record = RequestRecord(id=f"req-{secrets.token_hex(6)}", asked=asked)
        await self._keep_first(record)
        return record, True

    async def _keep_first(self, record: RequestRecord) -> None:
        line = to_json(REQUEST.to_document(record))
        writing = asyncio.ensure_future(self._group.submit(line))
        self._records[record.id] = record
        self._being_kept[record.id] = writing
        if record.asked.key:
            self._by_key[record.asked.by, record.asked.key] = record.id
        # By a callback, since it must happen even where the caller was cancelled meanwhile.
        writing.add_done_callback(lambda written: self._was_kept(record, written))
        await asyncio.shield(writing)

    def _was_kept(self, record: RequestRecord, written: asyncio.Future[None]) -> None:
        del self._being_kept[record.id]
        if written.cancelled() or written.exception() is not None:
            del self._records[record.id]
            self._by_key.pop((record.asked.by, record.asked.key), None)

    async def done(self, request: str, outcome: Outcome) -> RequestRecord:
        """Keep how a request ended; return once it is on the disk. Of two outcomes the first stays.

        Raises `NotFound`, `TemporaryError`.
        """
        record = self.find(request)
        if record is None:
            msg = f"There is no request {request}."
            raise NotFound(msg)
        if record.outcome is not None:
            return record
        finished = replace(record, outcome=outcome)
        await self._group.submit(to_json(REQUEST.to_document(finished)))
        self._records[request] = finished
        self._forget()
        return finished

    def _forget(self) -> None:
        done = [record for record in self._records.values() if record.outcome is not None]
        for record in done[: max(len(done) - self._kept_done, 0)]:
            del self._records[record.id]
            self._by_key.pop((record.asked.by, record.asked.key), None)

    def find(self, request: str) -> RequestRecord | None:
        """The request of that id, if it is remembered."""
        return self._records.get(request)

    def find_key(self, by: Actor, key: str) -> RequestRecord | None:
        """The request that this actor asked with this idempotency key, if it is remembered."""
        return self._records.get(self._by_key.get((by, key), "")) if key else None

    def unfinished(self) -> tuple[RequestRecord, ...]:
        """Requests without an outcome, the oldest first: after a start, those that a crash cut off."""
        return tuple(record for record in self._records.values() if record.outcome is None)

    def _commit(self, lines: Sequence[bytes]) -> list[None]:
        if not self._journal.is_open:
            self._reopen()
        self._journal.append(lines)
        if self._journal.size >= self._compact_at:
            self._compact()
        return [None] * len(lines)

    def _reopen(self) -> None:
        """After a compaction that did not work to its end."""
        try:
            sync_folder(self._path.parent)
        except OSError as error:
            raise write_failed(self._path, error) from error
        self._journal.open(_is_line)
        self._compact_later()

    def _compact_later(self) -> None:
        """When the file has doubled: however much is remembered, a byte is written twice on average."""
        self._compact_at = max(self._compact_bytes, 2 * self._journal.size)

    def _compact(self) -> None:
        """Forget in the file what is forgotten; it has all that was kept, also what was appended just now.

        Never raises: what was asked is on the disk, whether this works or not.
        """
        try:
            records, _, broken = _read(read_file(self._path))
            if not broken:  # else the next start keeps a copy of it first
                self._rewrite(self._remembered(records))
        except (OSError, TemporaryError) as error:
            log.warning("requests not compacted: %s", error)
        self._compact_later()

    def _load(self) -> tuple[dict[str, RequestRecord], tuple[Damaged, ...]]:
        damaged = self._journal.open(_is_line)
        found, lines, broken = _read(read_file(self._path))
        records = self._remembered(found)
        if broken:
            kept_as = free_name(self._path, "damaged")
            replace_file(kept_as, read_file(self._path), self._faults, "request-damaged")
            damaged = (*damaged, Damaged(path=self._path, reason=broken, kept_as=kept_as))
        if broken or lines > 2 * len(records):
            self._rewrite(records)
        self._compact_later()
        return records, damaged

    def _remembered(self, records: dict[str, RequestRecord]) -> dict[str, RequestRecord]:
        """All without an outcome, and the newest of the finished ones."""
        done = [record.id for record in records.values() if record.outcome is not None]
        forgotten = set(done[: max(len(done) - self._kept_done, 0)])
        return {name: record for name, record in records.items() if name not in forgotten}

    def _rewrite(self, records: dict[str, RequestRecord]) -> None:
        """One line for each request that is still remembered."""
        lines = (to_json(REQUEST.to_document(record)) + b"\n" for record in records.values())
        # Closed until all of it worked: a line must never go into a file that has lost its name.
        self._journal.close()
        replace_file(self._path, b"".join(lines), self._faults, "requests")
        self._journal.open(_is_line)


def _read(content: bytes) -> tuple[dict[str, RequestRecord], int, str]:
    """The last line of each request, how many lines there were, and what is wrong with any of them."""
    records: dict[str, RequestRecord] = {}
    broken = ""
    lines = content.splitlines()
    for number, line in enumerate(lines, 1):
        try:
            record = REQUEST.from_document(from_json(line))
        except ValueError as error:
            broken = broken or f"line {number} cannot be read: {error}"
        else:
            records[record.id] = record
    return records, len(lines), broken


def _is_line(line: bytes) -> bool:
    try:
        from_json(line)
    except ValueError:
        return False
    return True
