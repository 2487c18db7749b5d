"""A colleague's shell: the same verbs, over TCP, with a personal token."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.chat.desk import Desk
from bot.frontends.api.http_server import HttpServer
from bot.frontends.api.server import ApiServer
from bot.frontends.shell import command
from orchestrator.domain.listener import Listener
from orchestrator.lifecycle.pulse import Pulse
from orchestrator.testing import examples
from tests.unit.bot.frontends.shell.machines import NoMachine
from tests.unit.bot.house import House

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


@pytest.fixture
async def url(house: House) -> AsyncIterator[str]:
    """A server with both listeners; its address."""
    desk = Desk(house.actions, house.core.store.requests, house.core.clock.now)
    local = ApiServer(house.core, house.actions, house.core.home.api_socket, desk)
    far = HttpServer(
        core=house.core, actions=house.actions, desk=desk, listener=Listener(port=0), pulse=Pulse()
    )
    await local.start()
    await far.start()
    yield far.address
    await far.stop()
    await local.stop()
    await desk.close()


async def ao(*words: str) -> int:
    return await asyncio.to_thread(command.run, words, NoMachine())


async def test_a_token_is_made_here_and_used_there(
    house: House, url: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.fleet.put(examples.session())
    assert await ao("token", "add", "--label", "laptop", "--json") == 0
    made = json.loads(capsys.readouterr().out)
    kept = house.core.home.requests.read_text() + house.core.home.fleet.read_text()
    assert made["token"] not in kept, "not even the request for it holds it"
    monkeypatch.setenv("AO_TOKEN", made["token"])
    assert await ao("--server", url, "send", "1", "be brief") == 0
    assert [m.text for m in house.fleet.get("demo-1").messages] == ["be brief"]
    monkeypatch.setenv("AO_SERVER", url)
    assert await ao("status", "--json") == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["sessions"][0]["id"] == "demo-1"
    assert await ao("token", "ls") == 0
    assert "laptop" in capsys.readouterr().out
    assert await ao("token", "rm", made["id"]) == 0
    capsys.readouterr()
    assert await ao("status") == 5
    assert "ao token add" in capsys.readouterr().err


async def test_a_person_is_shown_the_token_once(house: House, url: str, capsys: Capture) -> None:
    assert await ao("token", "add") == 0
    shown = capsys.readouterr().out
    assert "ao_" in shown
    assert "this once" in shown
    assert await ao("token", "ls") == 0
    assert "ao_" not in capsys.readouterr().out


async def test_without_a_token_it_says_what_to_do(house: House, url: str, capsys: Capture) -> None:
    assert await ao("--server", url, "status") == 6
    said = capsys.readouterr().err
    assert "there is no token" in said
    assert "tokens.json" in said


async def test_confirmations_are_as_in_the_local_shell(
    house: House, url: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.fleet.put(examples.session(changes=(examples.change(approvals=(examples.approval(),)),)))
    await ao("token", "add", "--json")
    monkeypatch.setenv("AO_TOKEN", json.loads(capsys.readouterr().out)["token"])
    assert await ao("--server", url, "merge", "demo-1") == 2
    assert "nobody can answer" in capsys.readouterr().err
    assert await ao("--server", url, "merge", "demo-1", "--head", examples.OTHER_HEAD, "--yes") == 4


async def test_what_is_a_matter_of_the_machine_is_not_asked_elsewhere(
    house: House, url: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.fleet.put(examples.session())
    await ao("token", "add", "--json")
    monkeypatch.setenv("AO_TOKEN", json.loads(capsys.readouterr().out)["token"])
    for words in (["stop"], ["init"], ["config", "check"]):
        assert await ao("--server", url, *words) == 2, words
        assert "takes no --server" in capsys.readouterr().err
    monkeypatch.setenv("AO_SERVER", url)
    assert await ao("completion", "bash") == 0, "AO_SERVER is for what can be asked elsewhere"
    assert await ao("--server") == 2
