"""The event log: numbering, durability, healing, reading."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from typing_extensions import override

from orchestrator.domain.event import Event
from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.errors import TemporaryError
from orchestrator.storage.events import EventLog
from orchestrator.storage.faults import Faults, NoFaults
from tests.unit.orchestrator.storage.boundaries import Counted, DiskFull
from tests.unit.orchestrator.storage.samples import event

ROOT = Path(__file__).parents[4]


@asynccontextmanager
async def opened(
    folder: Path, faults: Faults | None = None, rotate_bytes: int = 2**24
) -> AsyncIterator[EventLog]:
    log = EventLog(folder, faults or NoFaults(), rotate_bytes=rotate_bytes)
    await log.open()
    yield log
    await log.close()


async def ids(log: EventLog, after: int = 0, limit: int = 10_000, **which: str) -> list[str]:
    return [found.event.id for found in await log.read(after, limit, **which)]  # type: ignore[arg-type]


async def test_events_are_numbered_over_all_sessions_and_restarts(tmp_path: Path) -> None:
    async with opened(tmp_path) as log:
        assert log.last_seq == 0
        assert await log.append([]) == ()
        logged = await log.append([event(1), event(1, "demo-2")])
        assert [found.seq for found in logged] == [1, 2]
    async with opened(tmp_path) as log:
        assert log.last_seq == 2
        (third,) = await log.append([event(2)])
        assert third.seq == 3
        assert await log.read(0, 10) == (*logged, third)


async def test_reading_is_by_position_and_limit_over_many_files(tmp_path: Path) -> None:
    async with opened(tmp_path, rotate_bytes=2000) as log:
        for number in range(1, 301):
            await log.append([event(number)])
        assert len(os.listdir(tmp_path)) > 10  # noqa: PTH208 - nothing that blocks for long
        for after in (0, 1, 7, 150, 298, 299, 300, 999):
            expected = [f"demo-1:{n}" for n in range(after + 1, 301)]
            assert await ids(log, after) == expected
            assert await ids(log, after, 3) == expected[:3]
        assert [found.seq for found in await log.newest(12)] == list(range(289, 301))
        assert await log.newest(0) == ()
        assert await log.read(0, 0) == ()


async def test_positions_are_found_in_a_large_file(tmp_path: Path) -> None:
    async with opened(tmp_path) as log:
        await log.append([event(n, text="x" * (n % 700)) for n in range(1, 2001)])
        for after in range(0, 2000, 97):
            assert await ids(log, after, 2) == [f"demo-1:{after + 1}", f"demo-1:{after + 2}"][: 2000 - after]


async def test_one_session_or_project_can_be_read(tmp_path: Path) -> None:
    async with opened(tmp_path) as log:
        other = event(1, "demo-2", text='"session":"demo-1"', data={"session": "demo-1", "x": "demo-1"})
        fleet = Event(id="fleet:1", type="fleet.paused", at=1.0, project=ProjectId("p2"))
        await log.append([event(1), other, event(2), fleet])
        assert await ids(log, session="demo-1") == ["demo-1:1", "demo-1:2"]
        assert await ids(log, session="demo-2") == ["demo-2:1"]
        assert await ids(log, project="p2") == ["fleet:1"]
        assert [found.event.id for found in await log.newest(1, session=SessionId("demo-2"))] == ["demo-2:1"]


class Gate(Faults):
    """Holds the first write until it is opened."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.names: list[str] = []
        self._loop = asyncio.get_running_loop()
        self._came = asyncio.Event()

    @override
    def reached(self, boundary: str) -> None:
        self.names.append(boundary)
        self._loop.call_soon_threadsafe(self._came.set)
        self.open.wait(10)

    async def came(self) -> None:
        """The first write is at its first boundary."""
        async with asyncio.timeout(5):
            await self._came.wait()


async def test_what_comes_during_a_write_is_synced_together(tmp_path: Path) -> None:
    gate = Gate()
    async with opened(tmp_path, gate) as log:
        first = asyncio.create_task(log.append([event(1)]))
        await gate.came()
        rest = [asyncio.create_task(log.append([event(1, f"demo-{n}")])) for n in range(2, 52)]
        await asyncio.sleep(0)
        gate.open.set()
        await asyncio.gather(first, *rest)
        assert gate.names.count("log.kept") == 2
        assert [found.seq for found in await log.read(0, 100)] == list(range(1, 52))


async def test_an_append_is_told_only_once_it_is_synced(tmp_path: Path) -> None:
    async with opened(tmp_path) as log:
        await log.append([event(1)])
    gate = Gate()
    async with opened(tmp_path, gate) as log:
        appending = asyncio.create_task(log.append([event(2)]))
        await gate.came()
        assert await ids(log) == ["demo-1:1"]
        assert [found.seq for found in await log.newest(5)] == [1]
        assert not appending.done()
        gate.open.set()
        await appending
        assert await ids(log) == ["demo-1:1", "demo-1:2"]


async def test_a_cancelled_caller_hinders_nobody(tmp_path: Path) -> None:
    gate = Gate()
    async with opened(tmp_path, gate) as log:
        first = asyncio.create_task(log.append([event(1)]))
        await gate.came()
        first.cancel()
        second = asyncio.create_task(log.append([event(2)]))
        gate.open.set()
        await second
        assert await ids(log) == ["demo-1:1", "demo-1:2"]


async def test_followers_get_every_event_once_in_order(tmp_path: Path) -> None:
    async with opened(tmp_path, rotate_bytes=3000) as log:
        await log.append([event(n) for n in range(1, 31)])

        async def follow(after: int) -> list[int]:
            seen: list[int] = []
            async for found in log.follow(after):
                seen.append(found.seq)
                if found.seq == 61:
                    break
            return seen

        following = [asyncio.create_task(follow(after)) for after in (0, 5, 30, 45)]
        for number in range(31, 62):
            await log.append([event(number)])
        async with asyncio.timeout(5):
            seen = await asyncio.gather(*following)
    assert seen == [list(range(after + 1, 62)) for after in (0, 5, 30, 45)]


async def test_closing_the_log_ends_its_followers(tmp_path: Path) -> None:
    async with opened(tmp_path) as log:
        follower = log.follow(0)
        waiting = asyncio.ensure_future(anext(follower, None))
        await asyncio.sleep(0)
    async with asyncio.timeout(5):
        assert await waiting is None


@pytest.mark.parametrize("where", ["demo-2", "demo-9"])
async def test_a_follower_of_one_session_passes_over_the_others(tmp_path: Path, where: str) -> None:
    async with opened(tmp_path) as log:
        await log.append([event(n) for n in range(1, 1001)])
        wanted = log.follow(0, session=SessionId(where))
        waiting = asyncio.ensure_future(anext(wanted))
        await log.append([event(1, where)])
        async with asyncio.timeout(5):
            assert (await waiting).seq == 1001


@pytest.mark.parametrize("cut", range(1, 200, 13))
async def test_a_torn_last_line_is_cut_off_kept_and_told(tmp_path: Path, cut: int) -> None:
    async with opened(tmp_path) as log:
        await log.append([event(1), event(2)])
    path = tmp_path / "000001.jsonl"
    content = path.read_bytes()
    size = content.index(b"\n") + 1 + min(cut, len(content) // 2 - 2)
    os.truncate(path, size)
    log = EventLog(tmp_path, NoFaults())
    (damaged,) = await log.open()
    assert damaged.kept_as is not None
    assert damaged.kept_as.read_bytes() == content[content.index(b"\n") + 1 : size]
    await log.append([event(2)])
    assert [(found.seq, found.event.id) for found in await log.read(0, 9)] == [
        (1, "demo-1:1"),
        (2, "demo-1:2"),
    ]
    await log.close()
    assert await EventLog(tmp_path, NoFaults()).open() == ()


@pytest.mark.parametrize(
    "tail", [b"\0" * 5000, b"{}\n", b'{"v":1,"seq":3,"id":"x:1"\n', b"\n\n", b"x" * 200_000]
)
async def test_what_a_power_cut_leaves_at_the_end_is_cut_off(tmp_path: Path, tail: bytes) -> None:
    async with opened(tmp_path) as log:
        await log.append([event(1), event(2)])
    path = tmp_path / "000001.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + tail)
    log = EventLog(tmp_path, NoFaults())
    (damaged,) = await log.open()
    assert str(len(tail)) in damaged.reason
    assert path.read_bytes() == whole
    assert log.last_seq == 2
    await log.close()


async def test_a_damaged_line_in_the_middle_is_told_and_passed_over(tmp_path: Path) -> None:
    async with opened(tmp_path) as log:
        await log.append([event(n) for n in range(1, 4)])
    path = tmp_path / "000001.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1].replace(b'"level"', b'"unlevel"') + b"garbage\n" + lines[2])
    async with opened(tmp_path) as log:
        assert await ids(log) == ["demo-1:1", "demo-1:3"]
        assert await ids(log) == ["demo-1:1", "demo-1:3"]
        assert [found.event.id for found in await log.newest(5)] == ["demo-1:1", "demo-1:3"]
        assert ["event 2 " in found.reason or "garbage" in found.reason for found in log.damaged] == [
            True,
            True,
        ]
        async with asyncio.timeout(5):
            follower = log.follow(0)
            assert [(await anext(follower)).seq, (await anext(follower)).seq] == [1, 3]


@pytest.mark.parametrize("boundary", ["log.written", "log.rotated"])
async def test_a_full_disk_leaves_the_log_as_it_was(tmp_path: Path, boundary: str) -> None:
    full = DiskFull(boundary)
    full.on = False
    async with opened(tmp_path, full, rotate_bytes=300) as log:
        await log.append([event(n) for n in range(1, 4)])
        full.on = True
        with pytest.raises(TemporaryError, match="No space left"):
            await log.append([event(4)])
        assert log.last_seq == 3
        full.on = False
        (logged,) = await log.append([event(4)])
        assert logged.seq == 4
        assert await ids(log) == [f"demo-1:{n}" for n in range(1, 5)]
    async with opened(tmp_path) as log:
        assert await ids(log) == [f"demo-1:{n}" for n in range(1, 5)]


async def test_an_empty_new_file_after_a_crash_is_gone_on_with(tmp_path: Path) -> None:
    async with opened(tmp_path) as log:
        await log.append([event(1)])
    (tmp_path / "000002.jsonl").touch()
    async with opened(tmp_path) as log:
        assert log.last_seq == 1
        await log.append([event(2)])
        assert await ids(log) == ["demo-1:1", "demo-1:2"]
    assert (tmp_path / "000002.jsonl").stat().st_size


async def test_the_newest_number_of_each_session_is_found(tmp_path: Path) -> None:
    async with opened(tmp_path, rotate_bytes=800) as log:
        assert await log.last_numbers([SessionId("demo-1")]) == {}
        await log.append([event(n, f"demo-{s}") for n in range(1, 6) for s in (1, 2, 11)])
        await log.append([event(6, "demo-2")])
        found = await log.last_numbers(map(SessionId, ["demo-1", "demo-2", "demo-3"]))
        assert found == {"demo-1": 5, "demo-2": 6}


async def test_each_append_is_one_write_and_one_sync(tmp_path: Path) -> None:
    counted = Counted()
    async with opened(tmp_path, counted) as log:
        await log.append([event(n) for n in range(1, 100)])
    assert counted.names == ["log.written", "log.kept"]


async def test_a_reader_without_the_lock_changes_nothing(tmp_path: Path) -> None:
    empty = EventLog(tmp_path / "none", NoFaults())
    await empty.look()
    assert await empty.newest(5) == ()
    await empty.close()
    async with opened(tmp_path / "log", rotate_bytes=300) as log:
        for number in range(1, 6):
            await log.append([event(number)])
    newest = max((tmp_path / "log").glob("*.jsonl"))
    newest.write_bytes(newest.read_bytes() + b"torn")
    before = {path: path.read_bytes() for path in (tmp_path / "log").glob("*")}
    reader = EventLog(tmp_path / "log", NoFaults())
    await reader.look()
    assert await ids(reader) == [f"demo-1:{n}" for n in range(1, 6)]
    with pytest.raises(RuntimeError, match="not open"):
        await reader.append([event(6)])
    await reader.close()
    assert {path: path.read_bytes() for path in (tmp_path / "log").glob("*")} == before
    assert not (tmp_path / "none").exists()


FULL = """
import asyncio, resource, sys
from pathlib import Path
from orchestrator.errors import TemporaryError
from orchestrator.storage.events import EventLog
from orchestrator.storage.faults import NoFaults
from tests.unit.orchestrator.storage.samples import event

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

async def main():
    log = EventLog(Path(sys.argv[1]), NoFaults())
    await log.open()
    limit(1000)
    kept = 0
    try:
        while True:
            await log.append([event(kept + 1)])
            kept += 1
    except TemporaryError as error:
        print(kept, (Path(sys.argv[1]) / "000001.jsonl").stat().st_size, error.what)
    limit(resource.RLIM_INFINITY)
    await log.append([event(kept + 1)])
    print([found.event.id for found in await log.read(0, 100)])
    await log.close()

asyncio.run(main())
"""


def test_a_line_that_the_system_took_only_half_of_is_taken_back(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=15,
        check=True,
    )
    told, read = done.stdout.splitlines()
    kept, size, words = told.split(maxsplit=2)
    assert "File too large" in words
    assert int(size) < 1000
    assert read == str([f"demo-1:{n}" for n in range(1, int(kept) + 2)])
