"""Decisions are kept, one line each."""

from __future__ import annotations

from pathlib import Path

from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import OWNER
from orchestrator.storage.audit import Audit, AuditEntry
from orchestrator.storage.faults import NoFaults


def entry(number: int) -> AuditEntry:
    return AuditEntry(
        at=float(number),
        by=OWNER,
        verb="merge",
        session=SessionId("demo-1"),
        head="a" * 40,
        data={"n": number},
    )


async def test_decisions_are_read_back_in_order(tmp_path: Path) -> None:
    audit = Audit(tmp_path / "audit.jsonl", NoFaults())
    assert await audit.open() == ()
    assert await audit.newest(5) == ()
    for number in range(5):
        await audit.record(entry(number))
    assert await audit.newest(2) == (entry(3), entry(4))
    await audit.close()


async def test_what_cannot_be_read_is_cut_off_at_the_end_and_left_out_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    audit = Audit(path, NoFaults())
    await audit.open()
    for number in range(3):
        await audit.record(entry(number))
    await audit.close()
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"verb"', b'"berv"', 1) + b'{"v":1')
    again = Audit(path, NoFaults())
    (damaged,) = await again.open()
    assert damaged.kept_as == path.with_name("audit.jsonl.torn-1")
    await again.record(entry(9))
    assert await again.newest(10) == (entry(1), entry(2), entry(9))
    await again.close()
    assert path.stat().st_mode & 0o777 == 0o600
