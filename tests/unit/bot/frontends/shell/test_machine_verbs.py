"""What the shell does itself: starting, taking up a repository, opening terminals, stopping."""

from __future__ import annotations

import asyncio
import io
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from typing_extensions import override

from bot.actions.action import Access, Bench
from bot.actions.runner import Actions
from bot.chat.message import Json, Message
from bot.chat.request import Request
from bot.frontends.api.server import ApiServer
from bot.frontends.shell import gateway, init, start, stop, windows
from bot.frontends.shell.console import Console
from bot.frontends.shell.machine import Surroundings
from orchestrator.errors import AoError, BadInput, Conflict, NotFound, NotReady, PermanentError
from orchestrator.ports.plugin import Options, Plugin, PluginContext
from orchestrator.ports.terminal import TERMINAL
from orchestrator.registry import Registry
from orchestrator.services.settings_now import SettingsNow
from orchestrator.storage.layout import Home
from orchestrator.testing import examples
from orchestrator.testing.fakes.terminal import FakeTerminal
from orchestrator.testing.waiting import eventually
from tests.unit.bot.frontends.shell.machines import Here, NoMachine
from tests.unit.bot.house import House

pytestmark = pytest.mark.git


class Quiet(Console):
    """Answers yes when it may be asked, and remembers what was printed."""

    def __init__(self, *, asks: bool = False) -> None:
        self.out, self.err = io.StringIO(), io.StringIO()
        super().__init__(out=self.out, err=self.err)
        self._asks = asks
        self.answer = True

    @property
    @override
    def can_ask(self) -> bool:
        return self._asks

    @override
    def ask(self, message: Message, question: str) -> bool:
        self.note(f"{message.title} {question}")
        return self.answer


class Spawning(Actions):
    """Has one issue, and remembers what was spawned."""

    def __init__(self) -> None:
        self.spawned: list[object] = []

    @override
    async def run(self, request: Request) -> Message:
        if request.verb == "issues":
            return Message(title="1", data={"issues": [{"ref": "1", "title": "First"}]})
        self.spawned.append(dict(request.arguments))
        return Message(title="demo-1 starts")


class Workshop(Here):
    """Serves for a moment, and has plugins."""

    def __init__(self, registry: Registry, settings: SettingsNow, home: Home) -> None:
        super().__init__(Spawning())
        self._bench = Bench(home=home, registry=registry, settings=settings)
        self.served: list[Surroundings] = []
        self.left: tuple[Sequence[str], Sequence[str]] = ((), ())
        self.benches: list[Surroundings] = []

    @override
    async def serve(
        self, where: Surroundings, ready: Callable[[Path, Sequence[str], Sequence[str]], None]
    ) -> tuple[Sequence[str], Sequence[str]]:
        self.served.append(where)
        ready(Path("used.yaml"), ["app"], ["API: http://127.0.0.1:1"])
        return self.left

    @override
    def bench(self, where: Surroundings) -> Bench:
        self.benches.append(where)
        return self._bench


@pytest.fixture
def where(tmp_path: Path) -> Surroundings:
    env = {"AO_HOME": str(tmp_path / "state"), "HOME": str(tmp_path)}
    return Surroundings(env=env, cwd=str(tmp_path))


@pytest.fixture
def terminal() -> FakeTerminal:
    return FakeTerminal()


@pytest.fixture
def machine(where: Surroundings, tmp_path: Path, terminal: FakeTerminal) -> Workshop:
    registry = Registry({}, PluginContext(home=tmp_path, data=str))

    def create(options: Options, context: PluginContext) -> FakeTerminal:
        del options, context
        return terminal

    registry.add(Plugin(slot=TERMINAL, name="fake", summary="", create=create), "test")
    config = tmp_path / "used.yaml"
    config.write_text("defaults: {terminal: fake}\nprojects: {}\n")
    return Workshop(registry, SettingsNow(config, where.env, registry), Home.default(where.env))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    for words in (["init", "-q", "-b", "main"], ["commit", "-q", "--allow-empty", "-m", "first"]):
        subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, timeout=20)
    return folder


def test_init_offers_the_first_issue(machine: Workshop, where: Surroundings, repository: Path) -> None:
    console = Quiet(asks=True)
    assert init.run(machine, where, console, {"path": str(repository), "tests": "make check"}) == 0
    text = (repository / "agent-orchestrator.yaml").read_text()
    assert "defaultBranch: main" in text
    assert "make check" in text
    assert "agent's program was found on the PATH" in console.err.getvalue()
    assert "ao spawn app 1" in console.out.getvalue()
    assert isinstance(machine.actions, Spawning)
    assert machine.actions.spawned == [{"project": "app", "issue": "1"}]
    assert machine.opened == [Access.READS, Access.CHANGES]
    with pytest.raises(Conflict):
        init.run(machine, where, console, {"path": str(repository)})


def test_a_forge_that_is_not_there_is_said(machine: Workshop, where: Surroundings, repository: Path) -> None:
    remote = ["git", "remote", "add", "origin", "git@forge.example:owner/name.git"]
    subprocess.run(remote, cwd=repository, check=True, timeout=20)
    console = Quiet()
    init.write(machine, where, console, repository)
    assert "forge.example: whose forge that is cannot be seen from here" in console.err.getvalue()
    assert "repo:" not in (repository / "agent-orchestrator.yaml").read_text()


def test_an_unknown_agent_is_refused(machine: Workshop, where: Surroundings, repository: Path) -> None:
    with pytest.raises(NotFound, match="no agent plugin"):
        init.run(machine, where, Quiet(), {"path": str(repository), "agent": "nobody"})
    assert not (repository / "agent-orchestrator.yaml").exists()


def test_start_takes_up_a_repository(machine: Workshop, where: Surroundings, repository: Path) -> None:
    console = Quiet()
    assert start.run(machine, where, console, {"target": "app"}) == 0
    assert machine.served[0].config == str(repository / "agent-orchestrator.yaml")
    assert "looks after: app" in console.out.getvalue()
    assert "API: http://127.0.0.1:1" in console.out.getvalue()
    start.run(machine, where, console, {})
    assert machine.served[1] == where


def test_start_clones_an_address_once(machine: Workshop, where: Surroundings, repository: Path) -> None:
    address = f"file://{repository}"
    elsewhere = Surroundings(env=where.env, cwd=str(repository.parent / "work"))
    Path(elsewhere.cwd).mkdir()
    for _ in range(2):
        start.run(machine, elsewhere, Quiet(), {"target": address})
    assert {served.cwd for served in machine.served} == {str(Path(elsewhere.cwd) / "app")}


@pytest.mark.parametrize(
    ("target", "error"),
    [
        ("absent", NotFound),
        ("file:///nowhere/absent.git", PermanentError),
        ("https://forge.example/--upload-pack=x", BadInput),
        ("https://forge.example/app", Conflict),
    ],
)
def test_what_cannot_be_started(
    machine: Workshop, where: Surroundings, repository: Path, target: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        start.run(machine, where, Quiet(), {"target": target})
    assert machine.served == []


def test_terminals_are_opened_by_the_servers_configuration(
    machine: Workshop, where: Surroundings, terminal: FakeTerminal
) -> None:
    one: dict[str, Json] = {"session": "demo-1", "title": "first", "command": ["attach", "1"]}
    two: dict[str, Json] = {"session": "demo-2", "title": "second", "command": ["attach", "2"]}
    message = Message(title="", data={"open": [one, two], "configuration": "/etc/other.yaml"})
    assert windows.show(machine, where, Quiet(), message) == 0
    assert [what.command for what in terminal.opened] == [("attach", "1"), ("attach", "2")]
    assert machine.benches[0].config == "/etc/other.yaml"
    assert windows.show(machine, where, Quiet(), Message(title="", data={"open": []})) == 0
    with pytest.raises(NotFound, match="no command"):
        windows.show(machine, where, Quiet(), Message(title="", data={"open": [{"session": "demo-1"}]}))


def test_there_is_nothing_to_stop(where: Surroundings) -> None:
    with pytest.raises(NotReady, match="no `ao start`"):
        stop.run(NoMachine(), where, Quiet(), {})


async def test_all_sessions_end_only_after_a_yes(house: House) -> None:
    where = Surroundings(env={"AO_HOME": str(house.core.home.path)}, cwd="/")
    server = ApiServer(house.core, house.actions, house.core.home.api_socket)
    await server.start()
    client = gateway.client_for(where)

    async def ask(where: Surroundings, console: Console) -> None:
        await asyncio.to_thread(stop._ask, client, where, console)

    await ask(where, Quiet())  # nothing would end
    house.fleet.put(examples.session())
    with pytest.raises(BadInput, match="demo-1"):
        await ask(where, Quiet())
    await ask(replace(where, yes=True), Quiet())
    await ask(where, person := Quiet(asks=True))
    assert "End all sessions?" in person.err.getvalue()
    person.answer = False
    with pytest.raises(AoError, match="Nothing was done"):
        await ask(where, person)
    await server.stop()


async def test_sessions_are_ended_and_waited_for(house: House) -> None:
    where = Surroundings(env={"AO_HOME": str(house.core.home.path)}, cwd="/")
    server = ApiServer(house.core, house.actions, house.core.home.api_socket)
    await server.start()
    house.fleet.put(examples.session())
    console = Quiet()
    ending = asyncio.create_task(asyncio.to_thread(stop._end_sessions, gateway.client_for(where), console))

    async def wanted() -> str:
        return house.fleet.get("demo-1").wanted.state.value

    await eventually(wanted, lambda state: state == "stop")
    house.fleet.sessions.clear()
    await ending
    await server.stop()
    assert "All sessions have ended" in console.err.getvalue()


@pytest.mark.parametrize(
    ("live", "ended", "said"),
    [
        ((), (), ""),
        (("demo-1",), (), "Agents go on"),
        (("demo-1",), ("demo-1",), "ended with it, and the next `ao start` starts them again: demo-1."),
        (("demo-1", "demo-2"), ("demo-2",), "The others go on"),
    ],
)
def test_what_is_said_of_agents_when_ao_stops_is_true_of_their_terminals(
    machine: Workshop, where: Surroundings, live: tuple[str, ...], ended: tuple[str, ...], said: str
) -> None:
    machine.left = (live, ended)
    console = Quiet()
    start.run(machine, where, console, {})
    words = console.err.getvalue()
    assert said in words
    assert ("go on" in words) is (len(ended) < len(live))


async def test_init_beside_a_server_says_how_it_joins(
    house: House, machine: Workshop, repository: Path
) -> None:
    where = Surroundings(env={"AO_HOME": str(house.core.home.path)}, cwd="/")
    server = ApiServer(house.core, house.actions, house.core.home.api_socket)
    await server.start()
    console = Quiet()
    await asyncio.to_thread(init.run, machine, where, console, {"path": str(repository)})
    await server.stop()
    assert f"ao project add {repository}" in console.out.getvalue()
    assert "ao start" not in console.out.getvalue()
