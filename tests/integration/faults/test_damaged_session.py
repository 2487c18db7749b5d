"""A session whose file is damaged is shown, and ended by name with its work saved."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from orchestrator.storage.layout import server_name
from tests.integration.faults.house import House

pytestmark = [pytest.mark.tmux, pytest.mark.git, pytest.mark.timeout(180)]


@pytest.fixture
def lost(house: House) -> str:
    """A session with work in it, whose file was damaged while no server ran."""
    house.start()
    one = house.spawn_waiting(1)
    (Path(str(house.session(one)["workspace"])) / "half.txt").write_text("half way\n")
    document = house.folder(one).document
    house.kill()
    document.write_text("{")
    return one


def shown(house: House) -> list[str]:
    return [row["id"] for row in json.loads(house.ao("status", "--json").stdout).get("damaged", [])]


def test_it_is_shown_and_ended_with_its_work_saved(house: House, lost: str) -> None:
    assert shown(house) == [lost]
    for _ in range(2):  # also after the start that set the file aside
        house.start()
        assert f"`ao kill {lost}`" in house.said()
        assert shown(house) == [lost]
        table = house.ao("status").stdout
        assert lost in table
        assert "damaged" in table
        house.stop()
    house.start()
    assert f"`ao kill {lost}` saves its work and ends it" in house.ao("doctor").stdout
    assert f"`ao kill {lost}`" in house.refused(3, "status", lost)
    assert house.ao("kill", lost, "--yes").returncode == 0
    house.until_ended(lost)
    assert lost not in house.terminals.names()
    assert not house.sessions()
    assert shown(house) == []
    (saved,) = json.loads(house.ao("rescue", "ls", "--json").stdout)["rescues"]
    assert saved["session"] == lost
    house.act("restore", session=lost)
    session = house.until_status(lost, "idle")
    assert (Path(str(session["workspace"])) / "half.txt").read_text() == "half way\n"
    house.stop()


def test_it_is_ended_without_a_server(house: House, lost: str) -> None:
    assert house.ao("kill", lost, "--yes").returncode == 0
    house.until_ended(lost)
    assert lost not in house.terminals.names()


def test_the_end_of_all_sessions_ends_it_too(house: House, lost: str) -> None:
    house.start()
    done = house.ao("stop", "--sessions")
    assert done.returncode == 0, done.stderr
    assert house.server is not None
    house.server.wait(30)
    house.until_ended(lost)
    house.until("no tmux server is left", lambda: not _served(house))


def _served(house: House) -> bool:
    command = ["tmux", "-L", server_name(house.home), "list-sessions"]
    done = subprocess.run(command, capture_output=True, timeout=10, check=False)
    return done.returncode == 0
