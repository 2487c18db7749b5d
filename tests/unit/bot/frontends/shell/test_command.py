"""One command from words to exit code, in this process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typing_extensions import override

from bot.actions.runner import Actions
from bot.chat.message import Message
from bot.chat.request import Request
from bot.cli import main
from bot.frontends.api.server import ApiServer
from bot.frontends.shell import command
from orchestrator.errors import TemporaryError
from orchestrator.testing import examples
from orchestrator.testing.waiting import eventually
from tests.unit.bot.frontends.shell.machines import Here, NoMachine
from tests.unit.bot.house import House

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AO_HOME", str(tmp_path / "home"))


@pytest.fixture
async def server(house: House) -> AsyncIterator[ApiServer]:
    made = ApiServer(house.core, house.actions, house.core.home.api_socket)
    await made.start()
    yield made
    await made.stop()


async def ao(*words: str) -> int:
    return await asyncio.to_thread(command.run, words, NoMachine())


async def test_a_verb_is_answered(house: House, server: ApiServer, capsys: Capture) -> None:
    house.fleet.put(examples.session())
    assert await ao("send", "1", "be brief") == 0
    assert "demo-1" in capsys.readouterr().out


async def test_data_for_programs(house: House, server: ApiServer, capsys: Capture) -> None:
    house.fleet.put(examples.session())
    assert await ao("status", "--json") == 0
    assert json.loads(capsys.readouterr().out)["sessions"][0]["id"] == "demo-1"


async def test_findings_make_it_fail(house: House, server: ApiServer) -> None:
    assert await ao("notify", "test") == 0
    assert await ao("notify", "test", "nobody") == 3


async def test_attach_for_programs_is_a_command(house: House, server: ApiServer, capsys: Capture) -> None:
    assert await ao("attach", "999", "--json") == 3
    assert json.loads(capsys.readouterr().err)["error"]["code"] == "not-found"


async def test_merge_is_refused_where_nobody_can_answer(house: House, server: ApiServer) -> None:
    house.fleet.put(examples.session(changes=(examples.change(approvals=(examples.approval(),)),)))
    assert await ao("merge", "demo-1") == 2
    assert await ao("kill", "demo-7") == 3  # what is missing is said first
    assert await ao("merge", "demo-1", "--head", examples.OTHER_HEAD, "--yes") == 4


async def test_following_ends_with_the_server(house: House, server: ApiServer, capsys: Capture) -> None:
    following = asyncio.create_task(ao("events", "--follow", "--after", "0"))
    house.fleet.put(examples.session())
    await ao("hold", "demo-1")
    await server.stop()
    assert await following in {0, 6}


async def test_following_begins_with_what_happened_last(
    house: House, server: ApiServer, capsys: Capture
) -> None:
    house.fleet.put(examples.session())
    await ao("hold", "demo-1")
    capsys.readouterr()
    following = asyncio.create_task(ao("events", "--follow"))

    async def printed() -> str:
        return capsys.readouterr().out

    assert "merge.held" in await eventually(printed, bool)
    await server.stop()
    assert await following in {0, 6}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], 0),
        (["help", "merge"], 0),
        (["merge", "-h"], 0),
        (["nonsense"], 2),
        (["stop"], 6),
        (["--config"], 2),
        (["demo", "--headless", "--json"], 2),
    ],
)
def test_without_a_server(words: list[str], code: int, capsys: Capture) -> None:
    assert command.run(words, NoMachine()) == code


def test_what_is_done_here_says_that_nothing_watches(capsys: Capture) -> None:
    class Still(Actions):
        def __init__(self) -> None:
            pass

        @override
        async def run(self, request: Request) -> Message:
            if request.verb == "doctor":
                msg = "not now"
                raise TemporaryError(msg)
            return Message(title="loaded")

    class Restless(Here):
        @override
        async def settled(self) -> bool:
            return False

    assert command.run(["reload"], Here(Still())) == 0
    assert "Nothing is watching" in capsys.readouterr().err
    assert command.run(["status"], Here(Still())) == 0
    said = capsys.readouterr().err
    assert "one file is broken" in said
    assert "Nothing is watching" in said
    assert command.run(["config", "show"], Here(Still())) == 0
    assert "Nothing is watching" not in capsys.readouterr().err
    assert command.run(["reload"], Restless(Still())) == 0
    assert "not done yet" in capsys.readouterr().err
    assert command.run(["doctor"], Here(Still())) == 7


def test_an_interrupt_has_its_code() -> None:
    class Interrupted(NoMachine):
        @override
        def play_demo(self, where: object, arguments: object) -> int:
            raise KeyboardInterrupt

    assert command.run(["demo"], Interrupted()) == 130


def test_the_entry_point(capsys: Capture) -> None:
    assert main(["--version"]) == 0
    assert main(["__complete", "sta"]) == 0
    assert main(["completion", "bash"]) == 0
    assert main(["config", "schema"]) == 0
    assert capsys.readouterr().out.splitlines()[1:3] == ["start", "status"]
