"""Which deliveries of webhooks were taken, so that none is taken twice: one bounded file of lines."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from orchestrator import disk
from orchestrator.storage.damage import Damaged, write_failed
from orchestrator.storage.durable import read_file
from orchestrator.storage.faults import Faults
from orchestrator.storage.group import GroupCommit
from orchestrator.storage.journal import Journal
from orchestrator.storage.lanes import Lanes

FILE = "deliveries.jsonl"
KEPT_FOR = 7 * 86400.0
"""Seconds for which a delivery is remembered; GitHub sends one again on demand for three days."""
MOST = 20_000
"""Deliveries that are remembered; the file is written anew once it holds twice as many lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One delivery that was taken."""

    project: str
    id: str
    event: str
    at: float


class Deliveries:
    """What was taken, newest last. One writer a home."""

    def __init__(self, folder: Path, faults: Faults, *, most: int = MOST) -> None:
        self._journal = Journal(folder / FILE, faults, "deliveries")
        self._most = most
        self._lanes = Lanes(1, "ao-deliveries")
        self._group: GroupCommit[Taken, None] = GroupCommit(self._lanes, "deliveries", self._write)
        self._known: dict[tuple[str, str], Taken] = {}
        """In the order in which they were taken."""
        self._under_way: dict[tuple[str, str], asyncio.Future[None]] = {}
        self._lines = 0

    async def open(self, now: float) -> tuple[Damaged, ...]:
        """Read what is kept; of a last line that a crash cut off nothing was acknowledged. Raises `TemporaryError`."""
        damaged, rows = await self._lanes.run("deliveries", self._load)
        for row in rows:
            self._remember(row)
        self._forget_before(now - KEPT_FOR)
        return damaged

    def newest(self) -> dict[str, Taken]:
        """The last delivery of each project."""
        return {taken.project: taken for taken in self._known.values()}

    async def keep(self, one: Taken) -> bool:
        """Keep one before it is acknowledged; False if it was taken before. Raises `TemporaryError`."""
        key = (one.project, one.id)
        if key in self._known:
            return False
        if (earlier := self._under_way.get(key)) is not None:
            await asyncio.shield(earlier)
            return False
        writing = self._under_way[key] = asyncio.ensure_future(self._group.submit(one))
        try:
            await asyncio.shield(writing)
        finally:
            self._under_way.pop(key, None)
        self._remember(one)
        self._forget_before(one.at - KEPT_FOR)
        return True

    async def close(self) -> None:
        """Finish what is being written."""
        await self._group.settle()
        await self._lanes.run("deliveries", self._journal.close)
        await self._lanes.close()

    def _remember(self, one: Taken) -> None:
        self._known.pop((one.project, one.id), None)
        self._known[one.project, one.id] = one

    def _forget_before(self, at: float) -> None:
        while self._known:
            key = next(iter(self._known))
            if len(self._known) <= self._most and self._known[key].at >= at:
                return
            del self._known[key]

    # In the thread --------------------------------------------------------------------------------

    def _load(self) -> tuple[tuple[Damaged, ...], list[Taken]]:
        damaged = self._journal.open(lambda line: _read(line) is not None)
        rows = [row for line in read_file(self._journal.path).splitlines() if (row := _read(line))]
        self._lines = len(rows)
        return damaged, rows[-self._most :]

    def _write(self, batch: Sequence[Taken]) -> Sequence[None]:
        if self._lines + len(batch) > 2 * self._most:
            self._shorten()
        self._journal.append([json.dumps(asdict(one)).encode() for one in batch])
        self._lines += len(batch)
        return [None] * len(batch)

    def _shorten(self) -> None:
        """Write the newest lines into a new file; a crash leaves the old or the new one, whole."""
        path = self._journal.path
        try:
            kept = read_file(path).splitlines()[-self._most :]
            disk.replace(path, b"".join(line + b"\n" for line in kept))
        except OSError as error:
            raise write_failed(path, error) from error
        self._journal.close()
        self._journal.open(lambda line: _read(line) is not None)
        self._lines = len(kept)


def _read(line: bytes) -> Taken | None:
    try:
        row = Taken(**json.loads(line))
        float(row.at)
    except (ValueError, TypeError):
        return None
    return row if all(isinstance(text, str) for text in (row.project, row.id, row.event)) else None
