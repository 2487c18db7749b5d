"""Two of what there may be one of: the second is told who was first, and does nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.frontends.api.client import Client
from orchestrator.errors import AoError
from tests.integration.faults.house import House

pytestmark = [pytest.mark.tmux, pytest.mark.git, pytest.mark.slow, pytest.mark.timeout(90)]


def test_two_spawns_of_one_issue(house: House) -> None:
    house.start()

    def spawn(_: int) -> str:
        client = Client(house.home.api_socket, timeout=30)
        try:
            answer = client.act("spawn", {"project": "demo", "issue": "1"})
        except AoError as error:
            return f"{error.code}: {error}"
        return f"made: {answer['title']}"

    with ThreadPoolExecutor(6) as pool:
        answers = sorted(pool.map(spawn, range(6)))
    assert [a.partition(":")[0] for a in answers] == ["duplicate"] * 5 + ["made"]
    assert "demo-1 works on issue 1 already" in answers[0]
    house.until_status("demo-1", "idle")
    assert set(house.sessions()) == house.terminals.names() == {"demo-1"}
    assert "--again" in house.refused(4, "spawn", "demo", "1")
    assert house.spawn(1, again=True) == "demo-2"
    house.until_status("demo-2", "idle")
    assert house.session("demo-1")["branch"] != house.session("demo-2")["branch"]


def test_two_starts(house: House) -> None:
    house.start()
    assert house.server is not None
    said = house.refused(4, "start")
    assert f"`ao start` (pid {house.server.pid}) has been running since" in said
    assert "ao stop" in said
    assert house.client.running()


def test_a_start_right_after_a_kill(house: House) -> None:
    """The lock goes with its holder, and the socket that it left is in nobody's way."""
    house.start()
    house.kill()
    assert house.home.api_socket.exists()
    assert house.refused(6, "events", "--follow")
    house.start()
    assert house.stop() == 0


def test_a_command_while_no_server_runs_and_a_start_meanwhile(house: House) -> None:
    """A command that changes something holds the lock; it runs the ring until what was asked has settled."""
    done = house.ao("spawn", "demo", "1", "--json")
    assert done.returncode == 0, done.stderr
    assert "Nothing is watching" in done.stderr
    assert house.terminals.names() == {"demo-1"}
    house.start()
    house.until_status("demo-1", "idle")
