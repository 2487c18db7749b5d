"""The folder between agent and `ao`: nothing lost, nothing handled twice once it is answered."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from orchestrator.domain.ids import session_id
from orchestrator.errors import BadInput
from orchestrator.lifecycle import agent_folder
from orchestrator.testing.fakes.place import FakePlace
from plugins._shared.host_place import HostPlace

DEMO = session_id("demo-1")
FIRST, SECOND = "1795474593-10-aaaa", "1795474594-11-bbbb"


@pytest.fixture
def place(tmp_path: Path) -> HostPlace:
    folder = tmp_path / "demo-1"
    folder.mkdir()
    return HostPlace(folder, tmp_path / "work", {})


def _ask(place: HostPlace, name: str, data: bytes = b"report\0x\0", age: float = 0.0) -> Path:
    file = Path(place.folder) / "outbox" / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(data)
    os.utime(file, (1_795_474_600 - age, 1_795_474_600 - age))
    return file


async def test_installing_makes_programs_and_folders(place: HostPlace) -> None:
    await agent_folder.install(place)
    await agent_folder.install(place)
    folder = Path(place.folder)
    for program in agent_folder.PROGRAMS:
        assert stat.S_IMODE((folder / "bin" / program).stat().st_mode) == 0o700
    for name in ("outbox", "inbox", "agent/events"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o700
    assert await agent_folder.requests(place, DEMO) == ()


async def test_requests_come_oldest_first_without_those_seen(place: HostPlace) -> None:
    _ask(place, SECOND, age=1)
    _ask(place, FIRST, age=5)
    _ask(place, ".draft")
    assert [r.id for r in await agent_folder.requests(place, DEMO)] == [FIRST, SECOND]
    assert [r.id for r in await agent_folder.requests(place, DEMO, seen={FIRST})] == [SECOND]


async def test_an_answered_request_is_cleared_away_and_not_handled_again(place: HostPlace) -> None:
    file = _ask(place, FIRST)
    await agent_folder.answer(place, FIRST, 0, "yes")
    assert file.exists()
    assert await agent_folder.requests(place, DEMO) == ()
    assert not file.exists()
    assert (Path(place.folder) / "inbox" / FIRST).read_text() == "0\nyes\n"
    await agent_folder.forget(place, FIRST)


@pytest.mark.parametrize("data", [b"", b"cut off", b"x\0" * 100, b"x" * 300_000 + b"\0"])
async def test_what_is_no_request_is_answered_with_the_reason(place: HostPlace, data: bytes) -> None:
    file = _ask(place, FIRST, data)
    assert await agent_folder.requests(place, DEMO) == ()
    assert not file.exists()
    assert (Path(place.folder) / "inbox" / FIRST).read_text().startswith("2\nao: ")


async def test_links_folders_and_odd_names_are_only_removed(place: HostPlace, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"report\0secret\0")
    outbox = Path(place.folder) / "outbox"
    outbox.mkdir()
    (outbox / FIRST).symlink_to(secret)
    (outbox / SECOND).mkdir()
    (outbox / "notes.txt").write_text("x")
    assert await agent_folder.requests(place, DEMO) == ()
    assert list(outbox.iterdir()) == []
    assert secret.exists()


async def test_many_requests_are_taken_a_part_at_a_time(place: HostPlace) -> None:
    for number in range(100):
        _ask(place, f"1795474593-{number}-a")
    assert len(await agent_folder.requests(place, DEMO)) == agent_folder.MOST_PENDING


async def test_old_answers_go_and_those_still_waited_for_stay() -> None:
    place = FakePlace()
    place.files[f"/session/outbox/{FIRST}"] = b"ask\0x\0"
    await agent_folder.answer(place, FIRST, 0, "first")
    for number in range(80):
        await agent_folder.answer(place, f"1795474595-{number}-c", 0, "")
    kept = await place.list("/session/inbox")
    assert FIRST in {entry.name for entry in kept}
    assert len(kept) <= agent_folder.KEPT_ANSWERS + 1


@pytest.mark.parametrize("name", ["../outbox/x", "", "a/b"])
async def test_an_answer_goes_only_to_a_request(place: HostPlace, name: str) -> None:
    with pytest.raises(BadInput):
        await agent_folder.answer(place, name, 0, "x")


async def test_codes_stay_within_what_a_shell_knows(place: HostPlace) -> None:
    await agent_folder.answer(place, FIRST, 4711, "")
    assert (Path(place.folder) / "inbox" / FIRST).read_text() == "255\n"
