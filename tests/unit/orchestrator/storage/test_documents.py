"""Session documents on the disk."""

from __future__ import annotations

import json
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tinydb import TinyDB

from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.errors import BadInput, Conflict, DamagedFile, NotFound, TemporaryError
from orchestrator.storage.documents import DocumentFile, Documents
from orchestrator.storage.faults import NoFaults
from orchestrator.storage.layout import Home
from orchestrator.storage.migrations import CURRENT
from tests.unit.orchestrator.storage.boundaries import DiskFull
from tests.unit.orchestrator.storage.samples import PROJECT, session

ONE = SessionId("demo-1")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.prepare()
    return made


@pytest.fixture
async def documents(home: Home) -> AsyncIterator[Documents]:
    made = Documents(home, NoFaults())
    yield made
    await made.close()


async def test_what_is_written_is_loaded(home: Home, documents: Documents) -> None:
    await documents.write(session())
    await documents.write(session("demo-2"))
    await documents.write(session(branch="changed"))
    loaded = await Documents(home, NoFaults()).load_all()
    assert set(loaded.sessions) == {session(branch="changed"), session("demo-2")}
    assert loaded.damaged == ()


async def test_the_file_is_tinydb_s_and_private(home: Home, documents: Documents) -> None:
    await documents.write(session())
    path = home.project(PROJECT).session(ONE).document
    with TinyDB(path) as database:
        assert [found["id"] for found in database] == ["demo-1"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [p.name for p in path.parent.iterdir()] == ["session.json"]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"_default": {}}', b'{"a": 1}', b"\xff\xfe", b'{"_default":{"1":7}}']
)
async def test_a_damaged_file_is_set_aside_and_the_rest_goes_on(
    home: Home, documents: Documents, content: bytes
) -> None:
    await documents.write(session("demo-2"))
    path = home.project(PROJECT).session(ONE).document
    path.parent.mkdir()
    for number in (1, 2):
        path.write_bytes(content)
        loaded = await documents.load_all()
        assert loaded.sessions == (session("demo-2"),)
        (damaged,) = loaded.damaged
        assert damaged.kept_as == path.with_name(f"session.json.damaged-{number}")
        assert damaged.kept_as.read_bytes() == content
        assert str(damaged.kept_as) in str(damaged)
        assert not path.exists()


async def test_a_document_in_the_wrong_folder_is_damage(home: Home, documents: Documents) -> None:
    await documents.write(session())
    folder = home.project(PROJECT).sessions
    (folder / "demo-1").rename(folder / "demo-9")
    loaded = await documents.load_all()
    assert loaded.sessions == ()
    assert "wrong folder" in loaded.damaged[0].reason


async def test_a_file_that_cannot_be_looked_at_is_not_called_damaged(
    home: Home, documents: Documents
) -> None:
    await documents.write(session())
    path = home.project(PROJECT).session(ONE).document
    elsewhere = path.with_name("elsewhere")
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    loaded = await documents.load_all()
    assert loaded.sessions == ()
    assert loaded.damaged[0].kept_as is None
    assert path.is_symlink()


async def test_reserved_folders_and_strangers_are_passed_over(home: Home, documents: Documents) -> None:
    folder = home.project(PROJECT).sessions
    for name in ("demo-1", "not a session", ".hidden"):
        (folder / name).mkdir(parents=True)
    (home.projects / "no project").mkdir()
    assert await documents.load_all() == await Documents(Home(home.path / "none"), NoFaults()).load_all()


@pytest.mark.parametrize("boundary", ["document.written", "document.replaced"])
async def test_a_full_disk_leaves_the_old_document(home: Home, documents: Documents, boundary: str) -> None:
    await documents.write(session())
    full = Documents(home, DiskFull(boundary))
    with pytest.raises(TemporaryError, match="No space left on device"):
        await full.write(session(branch="new"))
    (found,) = (await documents.load_all()).sessions
    assert found.branch == ("ao/demo-1" if boundary == "document.written" else "new")
    assert [p.name for p in home.project(PROJECT).session(ONE).path.iterdir()] == ["session.json"]


async def test_ended_sessions_are_moved_whole_and_read_on_demand(home: Home, documents: Documents) -> None:
    for name in ("demo-1", "demo-2", "demo-10"):
        await documents.write(session(name))
        (home.project(PROJECT).session(SessionId(name)).path / "prompt.md").write_text(name)
        await documents.move_to_ended(PROJECT, SessionId(name))
    await documents.move_to_ended(PROJECT, ONE)
    assert await documents.list_ended(PROJECT) == ("demo-10", "demo-2", "demo-1")
    assert (await documents.load_all()).sessions == ()
    assert await documents.read_ended(PROJECT, ONE) == session()
    await documents.bring_back(PROJECT, ONE)
    await documents.bring_back(PROJECT, ONE)
    assert (await documents.load_all()).sessions == (session(),)
    assert home.project(PROJECT).session(ONE).prompt.read_text() == "demo-1"


async def test_what_is_not_there_is_said_so(home: Home, documents: Documents) -> None:
    with pytest.raises(NotFound):
        await documents.read_ended(PROJECT, ONE)
    with pytest.raises(NotFound):
        await documents.move_to_ended(PROJECT, ONE)
    assert await documents.list_ended(ProjectId("none")) == ()
    broken = home.project(PROJECT).ended_session(ONE).document
    await documents.write(session())
    broken.parent.mkdir(parents=True)
    broken.write_text("{")
    with pytest.raises(DamagedFile, match="cannot be read"):
        await documents.read_ended(PROJECT, ONE)
    with pytest.raises(Conflict, match="Both"):
        await documents.move_to_ended(PROJECT, ONE)


async def test_no_path_is_made_from_a_bad_name(documents: Documents) -> None:
    with pytest.raises(BadInput):
        await documents.write(session("../evil"))
    with pytest.raises(BadInput):
        await documents.read_ended(ProjectId("../x"), ONE)


async def test_a_damaged_file_does_not_hinder_writing_over_it(home: Home, documents: Documents) -> None:
    path = home.project(PROJECT).session(ONE).document
    path.parent.mkdir(parents=True)
    path.write_text("{")
    await documents.write(session())
    assert json.loads(path.read_text())["_default"]["1"]["v"] == CURRENT["session"]


def test_writes_to_one_file_keep_their_order(tmp_path: Path) -> None:
    file = DocumentFile(tmp_path / "x.json", NoFaults())
    for number in range(20):
        file.write({"v": 1, "n": number})
    assert file.read() == {"v": 1, "n": 19}


async def test_a_reader_without_the_lock_changes_nothing(home: Home, documents: Documents) -> None:
    await documents.write(session("demo-2"))
    path = home.project(PROJECT).session(ONE).document
    path.parent.mkdir()
    path.write_text("{")
    reader = Documents(home, NoFaults(), reader=True)
    loaded = await reader.load_all()
    assert loaded.sessions == (session("demo-2"),)
    assert [(damaged.path, damaged.kept_as) for damaged in loaded.damaged] == [(path, None)]
    assert path.read_text() == "{"
    with pytest.raises(RuntimeError, match="reading only"):
        await reader.write(session())
    await reader.close()
