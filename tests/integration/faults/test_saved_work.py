"""Work that nobody committed: it is saved before anything is removed, and it comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.demo.evidence import Repository
from bot.demo.sandbox_files import ISSUES
from tests.integration.faults.house import PROJECT, House

pytestmark = [pytest.mark.tmux, pytest.mark.git, pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Issue 4 of the sandbox: half of it is written, nothing is committed."""
    made = House(tmp_path, {4: [{"write": "README.md", "text": "A very small package"}, *ISSUES[4][2]]})
    try:
        yield made.start()
    finally:
        made.close()


def test_killed_with_uncommitted_work_and_restored(house: House) -> None:
    name = house.spawn_waiting(4)
    workspace = Path(str(house.session(name)["workspace"]))
    (workspace / "by hand.txt").write_text("a person's own\n")
    title = (workspace / "textkit" / "title.py").read_text()
    assert house.ao("kill", name, "--yes").returncode == 0
    house.until_ended(name)
    assert not workspace.exists()

    saved = json.loads(house.ao("rescue", "ls", "--json").stdout)["rescues"]
    assert [s["session"] for s in saved] == [name]
    ref = saved[0]["rescue"]["ref"]
    mirror = Repository(house.home.project(PROJECT).mirror)
    assert mirror.ask("show", f"{ref}:textkit/title.py") == title.strip()
    shown = house.ao("rescue", "show", name).stdout
    assert "textkit/title.py" in shown
    assert "+a person's own" in shown
    assert ref in house.until_event("rescue.saved", name)["text"]

    done = house.ao("restore", name)
    assert done.returncode == 0, done.stderr
    house.until_status(name, "idle")
    workspace = Path(str(house.session(name)["workspace"]))
    assert (workspace / "textkit" / "title.py").read_text() == title
    assert (workspace / "by hand.txt").read_text() == "a person's own\n"
    assert "README.md" in Repository(workspace).ask("status", "--porcelain")  # uncommitted again, as it was
    assert house.git.ask("log", "--format=%s", "main") == "First"

    house.act("kill", session=name)
    house.until_ended(name)
    again = json.loads(house.ao("rescue", "ls", "--json").stdout)["rescues"]
    assert ref in [s["rescue"]["ref"] for s in again]  # what was saved first is not written over


def test_killed_with_commits_that_are_nowhere_else(house: House) -> None:
    name = house.spawn_waiting(4)
    workspace = Path(str(house.session(name)["workspace"]))
    committed = Repository(workspace)
    assert committed.ask("add", "--all") == ""
    committed.ask("-c", "user.name=Ada", "-c", "user.email=a@example.org", "commit", "-q", "-m", "Half")
    head = committed.commit("HEAD")
    house.act("kill", session=name)
    house.until_ended(name)
    assert house.git.contains(str(house.sessions(ended=True)[name]["branch"]), head)


def test_what_is_saved_can_be_dropped_only_on_purpose(house: House) -> None:
    name = house.spawn_waiting(4)
    house.act("kill", session=name)
    house.until_ended(name)
    assert house.ao("rescue", "drop", name).returncode == 2  # nobody there to say yes
    assert json.loads(house.ao("rescue", "ls", "--json").stdout)["rescues"]
    assert house.ao("rescue", "drop", name, "--yes").returncode == 0
    assert json.loads(house.ao("rescue", "ls", "--json").stdout)["rescues"] == []
    assert "rescue drop" in house.home.audit.read_text()
