"""Where everything lies, and which folders are refused."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.errors import BadInput, NotReady
from orchestrator.storage.layout import Home, home_hash, private_folder, server_name


def test_the_home_is_named_by_the_environment_or_lies_in_the_user_s() -> None:
    assert Home.default({"AO_HOME": "/x/y", "HOME": "/h"}).path == Path("/x/y")
    assert Home.default({"AO_HOME": "", "HOME": "/h"}).path == Path("/h/.agent-orchestrator")
    assert Home.default({"AO_HOME": "relative"}).path.is_absolute()


def test_every_path_is_where_the_design_says() -> None:
    home = Home(Path("/a"))
    names = ("lock", "format", "fleet", "events", "requests", "audit", "config", "trusted", "projects", "run")
    assert [str(getattr(home, name)) for name in names] == [
        "/a/lock",
        "/a/format",
        "/a/fleet.json",
        "/a/events",
        "/a/requests.jsonl",
        "/a/audit.jsonl",
        "/a/config.yaml",
        "/a/trusted",
        "/a/projects",
        "/a/run",
    ]
    project = home.project(ProjectId("p"))
    assert (project.mirror, project.forge) == (
        Path("/a/projects/p/mirror.git"),
        Path("/a/projects/p/forge.git"),
    )
    assert project.worktrees == Path("/a/projects/p/worktrees")
    folder = project.session(SessionId("p-1"))
    assert folder.document == Path("/a/projects/p/sessions/p-1/session.json")
    assert [path.name for path in (folder.prompt, folder.agent, folder.bin, folder.outbox, folder.inbox)] == [
        "prompt.md",
        "agent",
        "bin",
        "outbox",
        "inbox",
    ]
    assert project.ended_session(SessionId("p-1")).path == Path("/a/projects/p/ended/p-1")


@pytest.mark.parametrize("name", ["..", "a/b", "", "a b", "-x"])
def test_no_path_leaves_the_home(name: str) -> None:
    home = Home(Path("/a"))
    with pytest.raises(BadInput):
        home.project(ProjectId(name))
    with pytest.raises(BadInput):
        home.project(ProjectId("p")).session(SessionId(name))


def test_preparing_makes_private_folders_and_may_be_repeated(tmp_path: Path) -> None:
    home = Home(tmp_path / "deep" / "home")
    home.prepare()
    home.prepare()
    for folder in (home.path, home.events, home.run, home.projects, home.counters):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    session = home.project(ProjectId("p")).session(SessionId("p-1"))
    session.make()
    assert sorted(path.name for path in session.path.iterdir()) == ["agent", "bin", "inbox", "outbox"]
    assert home.project_ids() == ("p",)


@pytest.mark.parametrize(
    "mark",
    [
        "running.json",
        "last-stop.json",
        "portfolio/registered.json",
        "0123456789ab-observability/processes/web-1.json",
        "projects/app/sessions/app-1.json",
    ],
)
def test_a_home_of_the_reference_system_is_left_alone(tmp_path: Path, mark: str) -> None:
    path = tmp_path / mark
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(NotReady, match="AO_HOME"):
        Home(tmp_path).prepare()
    assert sorted(tmp_path.rglob("*")) == before


def test_a_home_of_ours_stays_ours_whatever_lies_in_it(tmp_path: Path) -> None:
    (tmp_path / "format").write_text("1\n")
    (tmp_path / "running.json").write_text("{}")
    Home(tmp_path).prepare()


def test_a_home_with_only_a_configuration_is_ours(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("projects: {}\n")
    Home(tmp_path).prepare()


def test_a_home_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(NotReady, match="others can write"):
        Home(tmp_path).prepare()
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match="is not a folder"):
        Home(tmp_path / "file").prepare()


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / ("x" * 90))
    yield home
    folder = home.api_socket.parent
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    elif folder.is_dir():
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


def test_a_home_that_cannot_be_made_is_said_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "home", Path("/proc/ao-home")):
        with pytest.raises(NotReady) as refused:
            Home(path).prepare()
        assert str(path) in refused.value.what
        assert "AO_HOME" in refused.value.next_step


def test_a_short_home_has_its_socket_inside() -> None:
    home = Home(Path("/a"))
    assert home.api_socket == home.run / "api.sock"


def test_a_socket_whose_path_would_be_too_long_lies_in_a_short_private_folder(deep: Home) -> None:
    deep.prepare()
    assert home_hash(deep) in str(deep.api_socket)
    assert stat.S_IMODE(deep.api_socket.parent.stat().st_mode) == 0o700
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(deep.api_socket))


def test_a_short_folder_that_is_not_ours_alone_is_refused(deep: Home) -> None:
    folder = deep.api_socket.parent
    folder.mkdir()
    folder.chmod(0o755)
    with pytest.raises(NotReady, match="0700"):
        deep.prepare()
    folder.rmdir()
    folder.symlink_to(deep.path.parent)
    with pytest.raises(NotReady, match="0700"):
        private_folder(folder)


def test_one_home_has_one_name_by_every_path(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert server_name(Home(tmp_path / "real")) == server_name(Home(tmp_path / "link"))
    assert server_name(Home(tmp_path / "real")) != server_name(Home(tmp_path / "other"))
    assert len(server_name(Home(tmp_path))) == len("ao-") + 10


def test_a_missing_home_is_no_error_to_look_at(tmp_path: Path) -> None:
    home = Home(tmp_path / "none")
    home.check()
    assert home.project_ids() == ()
    assert not os.path.lexists(home.path)
