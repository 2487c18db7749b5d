"""The pull requests of one local forge, in memory as kept, with what is damaged."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from orchestrator.errors import DamagedFile, TemporaryError
from plugins._shared.pull_store import PullRecord, PullStore
from plugins._shared.threads import files_of, writes_of


class PullBook:
    """Records by number. Whoever changes one holds `lock` from reading until it is kept."""

    def __init__(self, store: PullStore, reached: Callable[[str], None] = lambda _: None) -> None:
        self.lock = asyncio.Lock()
        self._store = store
        self._reached = reached
        self._records: dict[int, PullRecord] = {}
        self._damaged: dict[int, str] = {}
        self._unsaved: set[int] = set()
        self._newest: dict[tuple[str, str], int] = {}
        self._loaded = False

    async def load(self) -> bool:
        """Read the records, once; whether this call was the one."""
        if self._loaded:
            return False
        try:
            loaded = await files_of(self._store.folder).run(self._store.load)
        except OSError as error:
            msg = f"The pull requests cannot be read: {error.strerror or error}."
            raise TemporaryError(msg) from error
        records, self._damaged = loaded
        for number in sorted(records):
            self._count(records[number])
        self._loaded = True
        return True

    def get(self, number: int) -> PullRecord | None:
        """One record. Raises `DamagedFile` when it was there and cannot be read."""
        if number in self._damaged:
            raise DamagedFile(self._damaged[number])
        return self._records.get(number)

    def of(self, session: str, branch: str) -> PullRecord | None:
        """The newest pull request that carries this session's mark and branch."""
        number = self._newest.get((session, branch))
        return None if number is None else self._records[number]

    def taken(self, number: int) -> bool:
        """A pull request has this number, readable or not."""
        return number in self._records or number in self._damaged

    def all_of(self, session: str) -> list[PullRecord]:
        """Every pull request that carries this session's mark."""
        return [record for record in self._records.values() if record.session == session]

    def damage(self, session: str, refs: Mapping[str, str]) -> str:
        """Why a session's newest pull request cannot be read, by the mark that its ref bears."""
        if not self._damaged:
            return ""
        numbers = [number for number in self._damaged if f"refs/ao/pulls/{number}/{session}" in refs]
        newest = max(numbers, default=0)
        readable = max((record.number for record in self.all_of(session)), default=0)
        return self._damaged[newest] if newest > readable else ""

    def next_number(self, refs: Mapping[str, str]) -> int:
        """A number that no pull request has or had."""
        marked = [int(ref.split("/")[3]) for ref in refs if ref.startswith("refs/ao/pulls/")]
        return max([*self._records, *self._damaged, *marked], default=0) + 1

    async def keep(self, record: PullRecord) -> PullRecord:
        """Write a record, then count it as kept. Raises `TemporaryError` and changes nothing."""
        await writes_of(self._store.folder).run(self._store.write, record)
        self._reached("record-kept")
        self._count(record)
        self._unsaved.discard(record.number)
        return record

    async def keep_later(self, record: PullRecord) -> None:
        """Count a record as kept and write it as soon as that works: for what can be worked out again."""
        self._count(record)
        self._unsaved.add(record.number)
        await self.save()

    async def save(self) -> str:
        """Write what could not be written before; why that still fails, in words."""
        for number in sorted(self._unsaved):
            try:
                await self.keep(self._records[number])
            except TemporaryError as error:
                return error.what
        return ""

    def _count(self, record: PullRecord) -> None:
        before = self._records.get(record.number)
        if before is not None and before.session != record.session:
            self._newest.pop((before.session, before.branch), None)
        self._records[record.number] = record
        key = (record.session, record.branch)
        self._newest[key] = max(record.number, self._newest.get(key, 0))
