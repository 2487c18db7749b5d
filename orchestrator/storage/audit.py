"""What was decided: who, what, at which commit; one line each, never changed."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.domain.event import Scalar
from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.person import Actor
from orchestrator.storage.codec import Form, from_json, to_json
from orchestrator.storage.damage import Damaged
from orchestrator.storage.faults import Faults
from orchestrator.storage.group import GroupCommit
from orchestrator.storage.journal import Journal
from orchestrator.storage.lanes import Lanes


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One decision of somebody."""

    at: float
    by: Actor
    verb: str
    allowed: bool = True
    """False: it was refused, and `text` says why."""
    project: ProjectId | None = None
    session: SessionId | None = None
    head: str = ""
    """The full SHA that was shown to whoever decided."""
    surface: str = ""
    text: str = ""
    data: dict[str, Scalar] = field(default_factory=dict)


AUDIT = Form("audit", AuditEntry)


class Audit:
    """The audit file under one home. `open` first, `close` last."""

    def __init__(self, path: Path, faults: Faults) -> None:
        self._path = path
        self._journal = Journal(path, faults, "audit")
        self._lanes = Lanes(1, "ao-audit")
        self._group: GroupCommit[bytes, None] = GroupCommit(self._lanes, "audit", self._commit)

    async def open(self) -> tuple[Damaged, ...]:
        """Heal the end of the file after a crash. Returns what was cut off."""
        return await self._lanes.run("audit", self._journal.open, _is_entry)

    async def close(self) -> None:
        """Finish what is being written."""
        await self._group.settle()
        await self._lanes.run("audit", self._journal.close)
        await self._lanes.close()

    async def record(self, entry: AuditEntry) -> None:
        """Keep one decision; return once it is on the disk. Raises `TemporaryError`."""
        await self._group.submit(to_json(AUDIT.to_document(entry)))

    def _commit(self, lines: Sequence[bytes]) -> list[None]:
        self._journal.append(lines)
        return [None] * len(lines)

    async def newest(self, limit: int) -> tuple[AuditEntry, ...]:
        """The last `limit` decisions, the oldest of them first; lines that cannot be read are left out."""
        return await self._lanes.run("audit", self._newest, limit)

    def _newest(self, limit: int) -> tuple[AuditEntry, ...]:
        with self._path.open("rb") as file:
            return tuple(
                AUDIT.from_document(from_json(line)) for line in deque(filter(_is_entry, file), limit)
            )


def _is_entry(line: bytes) -> bool:
    try:
        AUDIT.from_document(from_json(line))
    except ValueError:
        return False
    return True
