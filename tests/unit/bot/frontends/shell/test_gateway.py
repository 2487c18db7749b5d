"""Through the API when a server runs, else in this process; watching goes on until the server ends."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from typing_extensions import override

from bot.actions import registry
from bot.actions.action import Access
from bot.actions.runner import Actions
from bot.chat.message import Message
from bot.chat.request import Request, Value
from bot.frontends.api.client import NoServer
from bot.frontends.api.server import ApiServer
from bot.frontends.shell import gateway, watch
from bot.frontends.shell.console import Console
from bot.frontends.shell.machine import Surroundings
from orchestrator.errors import AoError, BadInput, NotFound
from orchestrator.testing import examples
from tests.unit.bot.frontends.shell.machines import Here, NoMachine
from tests.unit.bot.house import Configured, House


@pytest.fixture
def where(house: House) -> Surroundings:
    return Surroundings(env={"AO_HOME": str(house.core.home.path)}, cwd="/")


@pytest.fixture
async def server(house: House) -> AsyncIterator[ApiServer]:
    made = ApiServer(house.core, house.actions, house.core.home.api_socket)
    await made.start()
    yield made
    await made.stop()


async def test_a_verb_goes_to_the_server(house: House, server: ApiServer, where: Surroundings) -> None:
    house.fleet.put(examples.session(id="demo-1"))
    hold = registry.load("hold")
    answer = await asyncio.to_thread(gateway.run, NoMachine(), where, hold, {"session": "demo-1"}, None)
    assert (answer.watched, answer.message.session) == (True, "demo-1")


async def test_the_facts_are_asked_for_first(house: House, server: ApiServer, where: Surroundings) -> None:
    house.fleet.put(examples.session(id="demo-1"))
    seen: list[Message] = []

    def confirm(shown: Message, arguments: Mapping[str, Value]) -> dict[str, Value]:
        seen.append(shown)
        msg = "Nothing was done."
        raise AoError(msg)

    kill = registry.load("kill")
    with pytest.raises(AoError, match="Nothing was done"):
        await asyncio.to_thread(gateway.run, NoMachine(), where, kill, {"session": "demo-1"}, confirm)
    assert seen[0].title == "Kill demo-1?"
    assert house.fleet.get("demo-1").wanted.state.value == "run"


async def test_the_servers_errors_are_ours(server: ApiServer, where: Surroundings) -> None:
    with pytest.raises(NotFound, match="999") as error:
        await asyncio.to_thread(
            gateway.run, NoMachine(), where, registry.load("kill"), {"session": "999"}, None
        )
    assert error.value.next_step


def test_without_a_server_it_is_done_here_until_it_rests(configured: Configured, tmp_path: Path) -> None:
    where = Surroundings(env={"AO_HOME": str(tmp_path / "other")}, cwd="/")

    class Deaf(Actions):
        def __init__(self) -> None:
            pass

        @override
        async def run(self, request: Request) -> Message:
            return Message(title=f"{request.verb} by {request.who}")

    here = Here(Deaf())
    answer = gateway.run(here, where, registry.load("reload"), {}, None)
    assert (answer.message.title, answer.watched, here.rested) == ("reload by owner", False, 1)
    gateway.run(here, where, registry.load("status"), {}, None)
    assert (here.opened, here.rested) == ([Access.CHANGES, Access.READS], 1)


def test_paths_are_made_absolute(tmp_path: Path) -> None:
    add = registry.load("project add")
    found = gateway.absolute(add, {"path": "sub", "name": "sub"}, Surroundings(env={}, cwd=str(tmp_path)))
    assert found == {"path": str(tmp_path / "sub"), "name": "sub"}
    root = Surroundings(env={}, cwd="/")
    assert gateway.absolute(add, {"path": "/x"}, root) == {"path": "/x"}
    assert gateway.absolute(add, {"path": "~"}, root)["path"] == str(Path.home())


def test_a_path_on_another_machine_is_written_whole() -> None:
    add, far = registry.load("project add"), Surroundings(env={}, cwd="/", server="https://ao.example.org")
    assert gateway.absolute(add, {"path": "/srv/app"}, far) == {"path": "/srv/app"}
    with pytest.raises(BadInput, match="on the server's machine"):
        gateway.absolute(add, {"path": "app"}, far)


async def test_status_is_drawn_anew_when_something_happened(
    house: House, server: ApiServer, where: Surroundings
) -> None:
    house.fleet.put(examples.session(id="demo-1"))
    out = io.StringIO()
    drawn = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Watched(Console):
        @override
        def redraw(self, message: Message) -> None:
            self.show(message)
            loop.call_soon_threadsafe(drawn.set)

    client = gateway.client_for(where)
    watching = asyncio.create_task(
        asyncio.to_thread(watch.status, client, registry.load("status"), {"watch": True}, Watched(out=out))
    )
    await asyncio.wait_for(drawn.wait(), 10)
    drawn.clear()
    await asyncio.to_thread(client.act, "hold", {"session": "demo-1"})
    await asyncio.wait_for(drawn.wait(), 10)
    await server.stop()
    with pytest.raises(NoServer):
        await watching
    assert out.getvalue().count("1 session") >= 2


async def test_events_are_printed_as_they_happen(
    house: House, server: ApiServer, where: Surroundings
) -> None:
    house.fleet.put(examples.session(id="demo-1"))
    house.fleet.put(examples.session(id="demo-2"))
    client = gateway.client_for(where)
    for session in ("demo-2", "demo-1"):
        await asyncio.to_thread(client.act, "hold", {"session": session})
    out = io.StringIO()
    seen = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Watched(Console):
        @override
        def say(self, text: str) -> None:
            super().say(text)
            loop.call_soon_threadsafe(seen.set)

    asked: dict[str, Value] = {"follow": True, "after": 0, "session": "demo-1"}
    watching = asyncio.create_task(
        asyncio.to_thread(watch.events, client, asked, Watched(out=out, json=True))
    )
    await asyncio.wait_for(seen.wait(), 10)
    await server.stop()
    with contextlib.suppress(NoServer):
        await watching
    assert '"session":"demo-1"' in out.getvalue()
    assert "demo-2" not in out.getvalue()
