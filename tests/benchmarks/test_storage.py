"""What keeping costs: one write among ten and ten thousand sessions, the log, and a start.

Played by `make bench`. These are times; the system's calls are counted in the unit test `test_cost.py`.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.domain.ids import SessionId
from orchestrator.storage.codec import SESSION
from orchestrator.storage.documents import DocumentFile, Documents
from orchestrator.storage.events import EventLog
from orchestrator.storage.faults import NoFaults
from orchestrator.storage.keep import Keeper
from orchestrator.storage.layout import Home
from tests.unit.orchestrator.storage.samples import PROJECT, event, session, told

WRITES = 200


def say(what: str, value: str) -> None:
    """One line of the result."""
    sys.stdout.write(f"{what:<68} {value:>12}\n")


def fill(home: Home, place: str, count: int) -> None:
    """`count` session documents; linked, since writing each durably would take minutes."""
    folder = getattr(home.project(PROJECT), place)
    pattern = home.path / "pattern.json"
    DocumentFile(pattern, NoFaults()).write({"v": 1})
    for number in range(1, count + 1):
        one = folder / f"demo-{number}"
        one.mkdir(parents=True)
        (one / "session.json").hardlink_to(pattern)


async def writes(home: Home, count: int) -> None:
    """Writing one session with `count` on the disk."""
    fill(home, "sessions", count)
    documents = Documents(home, NoFaults())
    times = []
    for number in range(WRITES):
        begin = time.perf_counter()
        await documents.write(session("demo-1", branch=f"b{number}"))
        times.append(time.perf_counter() - begin)
    await documents.close()
    say(f"write one session, {count} on the disk, median", f"{statistics.median(times) * 1000:.2f} ms")


async def start(home: Home, live: int, ended: int) -> None:
    """Loading every live session."""
    fill(home, "ended", ended)
    for number in range(1, live + 1):
        path = home.project(PROJECT).session(SessionId(f"demo-{100_000 + number}")).document
        await asyncio.to_thread(DocumentFile(path, NoFaults()).write, _document(number))
    documents, log = Documents(home, NoFaults()), EventLog(home.events, NoFaults())
    await log.open()
    begin = time.perf_counter()
    loaded = await Keeper(documents, log).open()
    took = time.perf_counter() - begin
    assert len(loaded.sessions) == live, loaded.damaged[:1]
    await documents.close()
    await log.close()
    say(f"start with {live} live and {ended} ended sessions", f"{took * 1000:.1f} ms")


def _document(number: int) -> dict[str, object]:
    return SESSION.to_document(session(f"demo-{100_000 + number}"))


async def appends(home: Home, beside: int) -> None:
    """Appending events, `beside` callers at a time."""
    log = EventLog(home.events, NoFaults())
    await log.open()
    begin = time.perf_counter()
    for round_ in range(WRITES // 10):
        await asyncio.gather(*(log.append([event(round_, f"demo-{n}")]) for n in range(1, beside + 1)))
    took = (time.perf_counter() - begin) / (WRITES // 10) / beside
    await log.close()
    say(f"append one event durably, {beside} callers at a time", f"{took * 1000:.3f} ms")


async def keeps(home: Home, beside: int) -> None:
    """The whole write path: document, then log."""
    documents, log = Documents(home, NoFaults()), EventLog(home.events, NoFaults())
    await log.open()
    keeper = Keeper(documents, log)
    kept = [session(f"demo-{n}") for n in range(1, beside + 1)]
    begin = time.perf_counter()
    rounds = 20
    for _ in range(rounds):
        changed = [told(one) for one in kept]
        kept = list(await asyncio.gather(*(keeper.keep(one, events) for one, events in changed)))
    took = (time.perf_counter() - begin) / rounds / beside
    await documents.close()
    await log.close()
    say(f"keep a session with its event, {beside} sessions at a time", f"{took * 1000:.2f} ms")


async def reads(home: Home) -> None:
    """Reading from the middle of a log of many files."""
    log = EventLog(home.events, NoFaults())
    await log.open()
    many = [replace(event(n), text="x" * 200) for n in range(1, 2001)]
    for _ in range(100):
        await log.append(many)
    begin = time.perf_counter()
    for after in range(0, 200_000, 1000):
        await log.read(after, 10)
    took = (time.perf_counter() - begin) / 200
    size = sum(path.stat().st_size for path in home.events.iterdir()) / 2**20
    say(f"read 10 events at a position, 200000 in {size:.0f} MB", f"{took * 1000:.2f} ms")
    await log.close()
    again = EventLog(home.events, NoFaults())
    begin = time.perf_counter()
    await again.open()
    say("open that log", f"{(time.perf_counter() - begin) * 1000:.2f} ms")
    await again.close()


def fresh(folder: Path, name: str) -> Home:
    """A home of its own for one measurement."""
    home = Home(folder / name)
    home.prepare()
    return home


@pytest.mark.bench
def test_numbers(tmp_path: Path) -> None:
    """Print every number."""
    for count in (10, 1000, 10_000):
        asyncio.run(writes(fresh(tmp_path, f"write-{count}"), count))
    for live, ended in ((30, 0), (30, 10_000), (1000, 0)):
        asyncio.run(start(fresh(tmp_path, f"start-{live}-{ended}"), live, ended))
    for beside in (1, 50):
        asyncio.run(appends(fresh(tmp_path, f"append-{beside}"), beside))
        asyncio.run(keeps(fresh(tmp_path, f"keep-{beside}"), beside))
    asyncio.run(reads(fresh(tmp_path, "read")))
