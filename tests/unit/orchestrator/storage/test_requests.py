"""Requests are kept before they are acknowledged."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from typing_extensions import override

from orchestrator.domain.person import OWNER, Actor, ActorKind
from orchestrator.errors import Conflict, NotFound, TemporaryError
from orchestrator.storage.faults import Faults, NoFaults
from orchestrator.storage.requests import Asked, Outcome, Requests
from tests.unit.orchestrator.storage.boundaries import Counted, DiskFull

SPAWN = Asked(verb="spawn", by=OWNER, at=1.0, arguments={"issue": "1", "more": [1, None, {"a": True}]})
DONE = Outcome(ok=True, at=2.0, text="spawned demo-1", data={"session": "demo-1"})


@asynccontextmanager
async def opened(
    path: Path, faults: Faults | None = None, kept_done: int = 1000, compact_bytes: int = 1 << 20
) -> AsyncIterator[Requests]:
    made = Requests(
        path / "requests.jsonl", faults or NoFaults(), kept_done=kept_done, compact_bytes=compact_bytes
    )
    await made.open()
    yield made
    await made.close()


async def test_a_request_outlives_a_restart_until_it_is_done(tmp_path: Path) -> None:
    async with opened(tmp_path) as requests:
        record, is_new = await requests.keep(SPAWN)
        assert is_new
    async with opened(tmp_path) as requests:
        assert requests.unfinished() == (record,)
        assert requests.find(record.id) == record
        done = await requests.done(record.id, DONE)
        assert done.outcome == DONE
    async with opened(tmp_path) as requests:
        assert requests.unfinished() == ()
        assert requests.find(record.id) == done


async def test_the_first_outcome_stays(tmp_path: Path) -> None:
    async with opened(tmp_path) as requests:
        record, _ = await requests.keep(SPAWN)
        await requests.done(record.id, DONE)
        again = await requests.done(record.id, Outcome(ok=False, at=3.0))
        assert again.outcome == DONE
        with pytest.raises(NotFound):
            await requests.done("req-none", DONE)


async def test_the_same_key_is_the_same_request(tmp_path: Path) -> None:
    keyed = replace(SPAWN, key="k")
    other = Actor(kind=ActorKind.PERSON, name="other")
    async with opened(tmp_path) as requests:
        both = await asyncio.gather(requests.keep(keyed), requests.keep(replace(keyed, at=9.0)))
        assert [is_new for _, is_new in both] == [True, False]
        assert both[0][0] == both[1][0]
        assert (await requests.keep(replace(keyed, by=other)))[1]
        assert (await requests.keep(SPAWN))[1]
        assert (await requests.keep(SPAWN))[1], "without a key each is a request of its own"
        with pytest.raises(Conflict, match="'k'"):
            await requests.keep(replace(keyed, verb="kill"))
        await requests.done(both[0][0].id, DONE)
    async with opened(tmp_path) as requests:
        record, is_new = await requests.keep(keyed)
        assert (is_new, record.outcome) == (False, DONE)


async def test_what_the_disk_refused_was_never_asked(tmp_path: Path) -> None:
    full = DiskFull("request.written")
    keyed = replace(SPAWN, key="k")
    async with opened(tmp_path, full) as requests:
        results = await asyncio.gather(requests.keep(keyed), requests.keep(keyed), return_exceptions=True)
        assert [type(result) for result in results] == [TemporaryError, TemporaryError]
        assert requests.unfinished() == ()
        full.on = False
        assert (await requests.keep(keyed))[1]
    async with opened(tmp_path) as requests:
        assert len(requests.unfinished()) == 1


async def test_a_cancelled_request_is_kept_all_the_same(tmp_path: Path) -> None:
    async with opened(tmp_path) as requests:
        asking = asyncio.create_task(requests.keep(replace(SPAWN, key="k")))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        record, is_new = await requests.keep(replace(SPAWN, key="k"))
        assert not is_new
    async with opened(tmp_path) as requests:
        assert requests.unfinished() == (record,)


async def test_many_at_once_are_synced_together(tmp_path: Path) -> None:
    counted = Counted()
    async with opened(tmp_path, counted) as requests:
        await asyncio.gather(*(requests.keep(SPAWN) for _ in range(50)))
        assert counted.names.count("request.kept") <= 2
        assert len(requests.unfinished()) == 50


async def test_finished_requests_are_forgotten_after_a_while_and_open_ones_never(tmp_path: Path) -> None:
    async with opened(tmp_path, kept_done=3) as requests:
        first, _ = await requests.keep(SPAWN)
        for number in range(10):
            record, _ = await requests.keep(replace(SPAWN, key=str(number)))
            await requests.done(record.id, DONE)
        assert requests.find_key(OWNER, "6") is None
        assert requests.find_key(OWNER, "7") is not None
    async with opened(tmp_path, kept_done=3) as requests:
        assert requests.unfinished() == (first,)
        assert len((tmp_path / "requests.jsonl").read_bytes().splitlines()) == 4
        assert requests.find_key(OWNER, "9") == replace(record, outcome=DONE)
        await requests.done(first.id, DONE)
    async with opened(tmp_path, kept_done=3) as requests:
        assert requests.unfinished() == ()


async def test_a_torn_line_is_cut_off_and_a_damaged_one_set_aside(tmp_path: Path) -> None:
    async with opened(tmp_path) as requests:
        first, _ = await requests.keep(SPAWN)
        second, _ = await requests.keep(SPAWN)
    path = tmp_path / "requests.jsonl"
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"spawn"', b"7", 1) + b'{"v":1,"id"')
    requests = Requests(path, NoFaults())
    torn, broken = await requests.open()
    assert torn.kept_as is not None
    assert torn.kept_as.read_bytes() == b'{"v":1,"id"'
    assert broken.kept_as is not None
    assert b'"verb":7' in broken.kept_as.read_bytes()
    assert "line 1" in broken.reason
    assert requests.unfinished() == (second,)
    assert requests.find(first.id) is None
    await requests.close()
    assert await Requests(path, NoFaults()).open() == ()


# A long run: the file is compacted while requests come ----------------------------------------------


class Copies(Faults):
    """At each boundary, a copy of the folder as a kill would leave it, and what was acknowledged by then."""

    def __init__(self, folder: Path, copies: Path) -> None:
        self._folder = folder
        self._copies = copies
        self.acknowledged: dict[str, Outcome | None] = {}
        self.taken: list[tuple[str, Path, dict[str, Outcome | None]]] = []

    @override
    def reached(self, boundary: str) -> None:
        copy = self._copies / str(len(self.taken))
        acknowledged = dict(self.acknowledged)
        shutil.copytree(self._folder, copy)
        self.taken.append((boundary, copy, acknowledged))


async def test_a_long_run_does_not_grow_the_file_without_bound(tmp_path: Path) -> None:
    size = 0
    async with opened(tmp_path, kept_done=3, compact_bytes=4000) as requests:
        first, _ = await requests.keep(replace(SPAWN, key="open"))
        for number in range(200):
            record, _ = await requests.keep(replace(SPAWN, key=str(number)))
            await requests.done(record.id, DONE)
            size = max(size, (tmp_path / "requests.jsonl").stat().st_size)
        assert size < 6000
        assert (await requests.keep(replace(SPAWN, key="open"))) == (first, False)
        assert (await requests.keep(replace(SPAWN, key="199"))) == (replace(record, outcome=DONE), False)
    async with opened(tmp_path, kept_done=3) as requests:
        assert requests.unfinished() == (first,)
        assert requests.find(record.id) == replace(record, outcome=DONE)


async def test_many_open_requests_are_not_written_again_and_again(tmp_path: Path) -> None:
    counted = Counted()
    async with opened(tmp_path, counted, compact_bytes=1000) as requests:
        for number in range(100):
            await requests.keep(replace(SPAWN, key=str(number)))
        assert len(requests.unfinished()) == 100
    assert 1 <= counted.names.count("requests.replaced") <= 6


async def test_a_kill_at_any_boundary_of_a_compaction_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    copies = Copies(tmp_path / "home", tmp_path / "copies")
    async with opened(tmp_path / "home", copies, kept_done=50, compact_bytes=1500) as requests:
        for number in range(15):
            record, _ = await requests.keep(replace(SPAWN, key=str(number)))
            copies.acknowledged[record.id] = None
            if number % 3:
                await requests.done(record.id, DONE)
                copies.acknowledged[record.id] = DONE
    names = {name for name, _, _ in copies.taken}
    assert names == {
        *("request.written", "request.kept"),
        *("requests.written", "requests.replaced", "requests.kept"),
    }
    for boundary, copy, acknowledged in copies.taken:
        async with opened(copy) as requests:
            for request, outcome in acknowledged.items():
                found = requests.find(request)
                assert found is not None, boundary
                assert outcome is None or outcome == found.outcome, boundary


@pytest.mark.parametrize("where", ["requests.written", "requests.replaced"])
async def test_a_full_disk_while_compacting_refuses_nothing(tmp_path: Path, where: str) -> None:
    full = DiskFull(where)
    async with opened(tmp_path, full, kept_done=1, compact_bytes=500) as requests:
        for number in range(20):
            record, _ = await requests.keep(replace(SPAWN, key=str(number)))
            await requests.done(record.id, DONE)
        full.on = False
        grown = (tmp_path / "requests.jsonl").stat().st_size
        for number in range(20, 40):
            record, _ = await requests.keep(replace(SPAWN, key=str(number)))
            await requests.done(record.id, DONE)
        assert (tmp_path / "requests.jsonl").stat().st_size <= grown
    async with opened(tmp_path, kept_done=1) as requests:
        assert requests.find(record.id) == replace(record, outcome=DONE)


async def test_a_damaged_line_is_not_compacted_away(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    async with opened(tmp_path, kept_done=1, compact_bytes=1500) as requests:
        await requests.keep(SPAWN)
        path.write_bytes(path.read_bytes().replace(b'"spawn"', b"7      "))
        for number in range(20):
            record, _ = await requests.keep(replace(SPAWN, key=str(number)))
            await requests.done(record.id, DONE)
        assert b'"verb":7' in path.read_bytes()
