"""Session ids are given once."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.errors import BadInput, TemporaryError
from orchestrator.storage.faults import NoFaults
from orchestrator.storage.ids import Ids
from orchestrator.storage.layout import Home
from tests.unit.orchestrator.storage.boundaries import DiskFull
from tests.unit.orchestrator.storage.samples import PROJECT

ROOT = Path(__file__).parents[4]
RESERVE = """
import asyncio, sys
from pathlib import Path
from orchestrator.storage.faults import NoFaults
from orchestrator.storage.ids import Ids
from orchestrator.storage.layout import Home
async def main():
    ids = Ids(Home(Path(sys.argv[1])), NoFaults())
    for _ in range(20):
        print(await ids.reserve("demo", "demo"))
    await ids.close()
asyncio.run(main())
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path)
    made.prepare()
    return made


@pytest.fixture
async def ids(home: Home) -> AsyncIterator[Ids]:
    made = Ids(home, NoFaults())
    yield made
    await made.close()


async def test_numbers_count_up_and_each_has_its_folder(home: Home, ids: Ids) -> None:
    assert [await ids.reserve(PROJECT, "demo") for _ in range(3)] == ["demo-1", "demo-2", "demo-3"]
    assert home.project(PROJECT).session(SessionId("demo-3")).path.is_dir()
    assert await ids.reserve(PROJECT, "de") == "de-1"


async def test_a_number_is_never_used_again(home: Home, ids: Ids) -> None:
    one = await ids.reserve(PROJECT, "demo")
    home.project(PROJECT).session(one).path.rmdir()
    assert await ids.reserve(PROJECT, "demo") == "demo-2"


async def test_numbers_of_others_are_passed_over(ids: Ids) -> None:
    assert await ids.reserve(PROJECT, "demo", [7, 3]) == "demo-8"
    assert await ids.reserve(PROJECT, "demo", [7, 3]) == "demo-9"


@pytest.mark.parametrize("counter", [None, "", "nonsense"])
async def test_a_lost_counter_is_found_again_from_the_folders(
    home: Home, ids: Ids, counter: str | None
) -> None:
    for path in (
        home.project(PROJECT).ended_session(SessionId("demo-12")).path,
        home.project(ProjectId("other")).session(SessionId("demo-14")).path,
        home.project(PROJECT).session(SessionId("demo-x-99")).path,
    ):
        path.mkdir(parents=True)
    if counter is not None:
        (home.counters / "demo").write_text(counter)
    assert await ids.reserve(PROJECT, "demo") == "demo-15"


async def test_a_folder_that_the_counter_does_not_know_is_passed_over(home: Home, ids: Ids) -> None:
    (home.counters / "demo").write_text("4\n")
    home.project(ProjectId("other")).ended_session(SessionId("demo-5")).path.mkdir(parents=True)
    assert await ids.reserve(PROJECT, "demo") == "demo-6"


async def test_many_at_once_get_different_ids(ids: Ids) -> None:
    found = await asyncio.gather(*(ids.reserve(PROJECT, "demo") for _ in range(30)))
    assert sorted(found, key=lambda name: int(name[5:])) == [f"demo-{n}" for n in range(1, 31)]


def test_processes_beside_each_other_get_different_ids(home: Home) -> None:
    command = [sys.executable, "-c", RESERVE, str(home.path)]
    others = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    found = [name for other in others for name in other.communicate(timeout=15)[0].split()]
    assert sorted(int(name[5:]) for name in found) == list(range(1, 61))


async def test_what_cannot_be_an_id_is_refused(ids: Ids) -> None:
    with pytest.raises(BadInput):
        await ids.reserve(PROJECT, "../x")
    with pytest.raises(BadInput):
        await ids.reserve(PROJECT, "demo", [9_999_999])


async def test_a_full_disk_gives_no_id(home: Home) -> None:
    full = DiskFull("counter.written")
    ids = Ids(home, full)
    with pytest.raises(TemporaryError, match="No space left"):
        await ids.reserve(PROJECT, "demo")
    assert not home.project(PROJECT).sessions.exists()
    full.on = False
    assert await ids.reserve(PROJECT, "demo") == "demo-1"
    await ids.close()
