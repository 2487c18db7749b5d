"""The write path of a session: nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from orchestrator.domain.ids import SessionId
from orchestrator.errors import NotFound, TemporaryError
from orchestrator.storage.documents import Documents
from orchestrator.storage.events import EventLog
from orchestrator.storage.faults import Faults, NoFaults
from orchestrator.storage.keep import Keeper
from orchestrator.storage.layout import Home
from tests.unit.orchestrator.storage.boundaries import DiskFull
from tests.unit.orchestrator.storage.samples import PROJECT, event, session, told

ONE = SessionId("demo-1")


@dataclass(frozen=True)
class Kept:
    documents: Documents
    log: EventLog
    keeper: Keeper
    sessions: tuple[object, ...]

    async def close(self) -> None:
        await self.documents.close()
        await self.log.close()

    async def ids(self) -> list[str]:
        return [found.event.id for found in await self.log.read(0, 1000)]

    async def on_disk(self) -> dict[str, tuple[str, ...]]:
        """Ids in the outbox of each kept document."""
        loaded = await self.documents.load_all()
        return {found.id: tuple(event.id for event in found.outbox) for found in loaded.sessions}


async def start(home: Home, log_faults: Faults | None = None, faults: Faults | None = None) -> Kept:
    log = EventLog(home.events, log_faults or NoFaults())
    documents = Documents(home, faults or NoFaults())
    await log.open()
    keeper = Keeper(documents, log)
    loaded = await keeper.open()
    return Kept(documents, log, keeper, loaded.sessions)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path)
    made.prepare()
    return made


@pytest.fixture
async def kept(home: Home) -> AsyncIterator[Kept]:
    made = await start(home)
    yield made
    await made.close()


async def test_a_session_and_its_events_are_kept_in_one_write(kept: Kept) -> None:
    one, events = told(session(), 2)
    back = await kept.keeper.keep(one, events)
    assert back == one
    assert await kept.ids() == ["demo-1:1", "demo-1:2"]
    assert await kept.on_disk() == {"demo-1": ("demo-1:1", "demo-1:2")}


async def test_the_next_write_empties_the_outbox(kept: Kept) -> None:
    one, events = told(session())
    await kept.keeper.keep(one, events)
    two, more = told(one)
    await kept.keeper.keep(two, more)
    assert await kept.on_disk() == {"demo-1": ("demo-1:2",)}
    await kept.keeper.keep(replace(two, branch="b"))
    assert await kept.on_disk() == {"demo-1": ()}
    assert await kept.ids() == ["demo-1:1", "demo-1:2"]


async def test_events_may_come_in_the_session_s_outbox(kept: Kept) -> None:
    one, events = told(session())
    back = await kept.keeper.keep(replace(one, outbox=events))
    assert back.outbox == ()
    await kept.keeper.keep(replace(one, outbox=events))
    assert await kept.ids() == ["demo-1:1"]


async def test_a_start_completes_the_log_once(home: Home) -> None:
    first = await start(home)
    one, events = told(session(), 3)
    await first.documents.write(replace(one, outbox=events))
    await first.log.append(events[:1])
    await first.close()
    for _ in range(2):
        again = await start(home)
        assert again.sessions == (one,)
        assert await again.ids() == ["demo-1:1", "demo-1:2", "demo-1:3"]
        await again.close()


async def test_after_a_start_writing_goes_on(home: Home) -> None:
    first = await start(home)
    one, events = told(session(), 2)
    await first.keeper.keep(one, events)
    await first.keeper.keep(session("demo-2", event_serial=0))
    await first.close()
    again = await start(home)
    two, more = told(one)
    await again.keeper.keep(two, more)
    assert await again.ids() == ["demo-1:1", "demo-1:2", "demo-1:3"]
    await again.keeper.flush()
    assert await again.on_disk() == {"demo-1": (), "demo-2": ()}
    await again.close()
    third = await start(home)
    three, more = told(two)
    await third.keeper.keep(three, more)
    assert await third.ids() == [f"demo-1:{n}" for n in range(1, 5)]
    await third.close()


async def test_a_full_disk_under_a_document_tells_nothing(home: Home) -> None:
    full = DiskFull("document.written")
    full.on = False
    kept = await start(home, faults=full)
    one, events = told(session())
    await kept.keeper.keep(one, events)
    full.on = True
    two, more = told(one)
    with pytest.raises(TemporaryError, match="No space left"):
        await kept.keeper.keep(two, more)
    assert await kept.ids() == ["demo-1:1"]
    full.on = False
    await kept.keeper.keep(two, (event(2, text="decided again"),))
    assert await kept.ids() == ["demo-1:1", "demo-1:2"]
    await kept.close()


async def test_a_log_that_refuses_leaves_the_events_in_the_document(home: Home) -> None:
    full = DiskFull("log.written")
    kept = await start(home, log_faults=full)
    one, events = told(session())
    one = await kept.keeper.keep(one, events)
    assert kept.keeper.trouble is not None
    two, more = told(one)
    two = await kept.keeper.keep(two, more)
    three, more = told(session("demo-2"))
    await kept.keeper.keep(three, more)
    assert await kept.on_disk() == {"demo-1": ("demo-1:1", "demo-1:2"), "demo-2": ("demo-2:1",)}
    full.on = False
    four, more = told(two)
    await kept.keeper.keep(four, more)
    assert kept.keeper.trouble is not None, "demo-2 still waits"
    await kept.keeper.retry()
    assert kept.keeper.trouble is None
    assert await kept.ids() == ["demo-1:1", "demo-1:2", "demo-1:3", "demo-2:1"]
    await kept.keeper.retry()
    assert len(await kept.ids()) == 4
    await kept.close()


async def test_events_that_the_log_never_took_are_there_after_a_start(home: Home) -> None:
    kept = await start(home, log_faults=DiskFull("log.written"))
    one, events = told(session())
    await kept.keeper.keep(one, events)
    await kept.keeper.flush()
    await kept.close()
    again = await start(home)
    assert await again.ids() == ["demo-1:1"]
    await again.close()


async def test_keeping_and_trying_again_at_once_doubles_nothing(home: Home) -> None:
    full = DiskFull("log.written")
    kept = await start(home, log_faults=full)
    one, events = told(session())
    one = await kept.keeper.keep(one, events)
    full.on = False
    two, more = told(one)
    await asyncio.gather(kept.keeper.retry(), kept.keeper.keep(two, more), kept.keeper.retry())
    assert await kept.ids() == ["demo-1:1", "demo-1:2"]
    await kept.close()


async def test_a_cancelled_keep_is_carried_through(kept: Kept) -> None:
    one, events = told(session())
    keeping = asyncio.create_task(kept.keeper.keep(one, events))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    await kept.keeper.keep(one, events)
    assert await kept.ids() == ["demo-1:1"]


async def test_an_ended_session_leaves_nothing_waiting_and_comes_back(kept: Kept) -> None:
    one, events = told(session())
    await kept.keeper.end(one, events)
    assert await kept.on_disk() == {}
    ended = await kept.documents.read_ended(PROJECT, ONE)
    assert ended == one
    two, more = told(ended)
    back = await kept.keeper.restore(two, more)
    assert back == two
    assert await kept.ids() == ["demo-1:1", "demo-1:2"]
    with pytest.raises(NotFound):
        await kept.keeper.restore(session("demo-7"))


async def test_an_ended_session_that_cannot_be_kept_stays_among_the_ended(home: Home) -> None:
    full = DiskFull("document.written")
    full.on = False
    kept = await start(home, faults=full)
    one, events = told(session())
    await kept.keeper.end(one, events)
    full.on = True
    two, more = told(one)
    with pytest.raises(TemporaryError, match="No space left"):
        await kept.keeper.restore(two, more)
    assert await kept.documents.read_ended(PROJECT, ONE) == one
    full.on = False
    assert await kept.keeper.restore(two, more) == two
    assert await kept.ids() == ["demo-1:1", "demo-1:2"]
    await kept.close()


async def test_an_ended_session_is_not_kept_among_the_live_ones(kept: Kept) -> None:
    one, events = told(session())
    await kept.keeper.end(one, events)
    with pytest.raises(NotFound, match="has ended"):
        await kept.keeper.keep(one)
    assert await kept.on_disk() == {}
    assert await kept.documents.read_ended(PROJECT, ONE) == one


async def test_a_session_does_not_end_before_its_events_are_told(home: Home) -> None:
    full = DiskFull("log.written")
    kept = await start(home, log_faults=full)
    one, events = told(session())
    with pytest.raises(TemporaryError):
        await kept.keeper.end(one, events)
    assert await kept.on_disk() == {"demo-1": ("demo-1:1",)}
    full.on = False
    await kept.keeper.end(one)
    assert await kept.ids() == ["demo-1:1"]
    assert await kept.on_disk() == {}
    await kept.close()


async def test_an_id_without_a_number_is_refused_before_anything_is_written(kept: Kept) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        await kept.keeper.keep(session(), (event(1, id="nonsense"),))
    assert await kept.on_disk() == {}
