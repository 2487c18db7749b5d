"""The API over a real unix socket, with the client that the shell and the demo use."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from bot.chat.message import Json, from_json
from bot.frontends.api import wire
from bot.frontends.api.client import Client, NoServer
from bot.frontends.api.server import ApiServer
from orchestrator.domain.message import MessageStage
from orchestrator.domain.person import OWNER
from orchestrator.errors import BadInput, Conflict, NotAllowed, NotFound
from orchestrator.storage.requests import Asked, RequestRecord
from orchestrator.testing import examples
from orchestrator.testing.waiting import eventually
from tests.unit.bot.house import House

T = TypeVar("T")


@pytest.fixture
async def server(house: House, tmp_path: Path) -> AsyncIterator[ApiServer]:
    made = ApiServer(house.core, house.actions, tmp_path / "run" / "api.sock")
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def client(server: ApiServer, tmp_path: Path) -> Client:
    return Client(tmp_path / "run" / "api.sock", timeout=10)


async def call(what: Callable[[], T]) -> T:
    return await asyncio.to_thread(what)


async def test_it_says_who_it_is(client: Client) -> None:
    health = await call(client.health)
    assert health["ok"] is True
    assert health["pid"] == os.getpid()


async def test_the_socket_is_the_users_alone(server: ApiServer, tmp_path: Path) -> None:
    path = tmp_path / "run" / "api.sock"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_stopping_takes_the_socket_away_and_twice_is_fine(
    server: ApiServer, client: Client, tmp_path: Path
) -> None:
    await server.stop()
    await server.stop()
    assert not (tmp_path / "run" / "api.sock").exists()
    with pytest.raises(NoServer):
        await call(client.health)


async def test_a_socket_left_by_a_killed_server_is_replaced(house: House, tmp_path: Path) -> None:
    path = tmp_path / "left.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    made = ApiServer(house.core, house.actions, path)
    await made.start()
    assert (await call(Client(path).health))["ok"] is True
    await made.stop()


async def test_stop_before_start_is_fine(house: House, tmp_path: Path) -> None:
    await ApiServer(house.core, house.actions, tmp_path / "x.sock").stop()


async def test_sessions_are_data(house: House, client: Client) -> None:
    house.fleet.put(examples.session(id="demo-1"))
    [found] = await call(client.sessions)
    assert (found["id"], found["status"]) == ("demo-1", "working")
    one = await call(lambda: client.session("#1"))
    assert (one["id"], one["runtime"]) == ("demo-1", {"state": "alive", "reason": ""})


async def test_an_unknown_session_is_not_found(client: Client) -> None:
    with pytest.raises(NotFound, match="999"):
        await call(lambda: client.session("999"))


async def test_a_verb_is_run_and_its_message_comes_back(house: House, client: Client) -> None:
    house.fleet.put(examples.session(id="demo-1"))
    message = await call(lambda: client.act("send", {"session": "demo-1", "text": "be brief"}))
    assert "demo-1" in str(message["title"])
    [kept] = house.fleet.get("demo-1").messages
    assert (kept.text, kept.stage) == ("be brief", MessageStage.RECEIVED)


async def test_one_key_is_one_request(house: House, client: Client) -> None:
    house.fleet.put(examples.session(id="demo-1"))

    def ask() -> dict[str, Json]:
        return client.act("send", {"session": "demo-1", "text": "once"}, key="k1")

    first, second = await call(ask), await call(ask)
    assert first == second
    assert len(house.fleet.get("demo-1").messages) == 1
    with pytest.raises(Conflict):
        await call(lambda: client.act("send", {"session": "demo-1", "text": "other"}, key="k1"))


async def test_a_request_is_kept_before_it_runs(house: House, client: Client) -> None:
    house.fleet.put(examples.session(id="demo-1"))
    house.fleet.gate = asyncio.Event()
    task = asyncio.create_task(call(lambda: client.act("send", {"session": "demo-1", "text": "hi"}, key="k")))

    async def open_ones() -> tuple[RequestRecord, ...]:
        return house.core.store.requests.unfinished()

    [record] = await eventually(open_ones, bool)
    assert (record.asked.verb, record.asked.by) == ("send", OWNER)
    house.fleet.gate.set()
    await task
    assert house.core.store.requests.unfinished() == ()


async def test_whoever_asks_may_leave_and_the_request_goes_on(
    house: House, client: Client, tmp_path: Path
) -> None:
    house.fleet.put(examples.session(id="demo-1"))
    house.fleet.gate = asyncio.Event()
    impatient = Client(tmp_path / "run" / "api.sock", timeout=0.2)
    with pytest.raises(Exception, match="in time"):
        await call(lambda: impatient.act("send", {"session": "demo-1", "text": "hi"}, key="k"))
    house.fleet.gate.set()
    message = await call(lambda: client.act("send", {"session": "demo-1", "text": "hi"}, key="k"))
    assert "demo-1" in str(message["title"])
    assert len(house.fleet.get("demo-1").messages) == 1


async def test_what_a_crash_cut_off_is_answered_at_the_next_start(house: House, tmp_path: Path) -> None:
    asked = Asked(
        verb="send", by=OWNER, at=1.0, arguments={"session": "x", "text": "y"}, key="k", surface="api"
    )
    await house.core.store.requests.keep(asked)
    made = ApiServer(house.core, house.actions, tmp_path / "api.sock")
    await made.start()
    with pytest.raises(Exception, match="restarted"):
        await call(lambda: Client(tmp_path / "api.sock").act("send", {"session": "x", "text": "y"}, key="k"))
    await made.stop()


async def test_merge_needs_the_head_that_was_seen(house: House, client: Client) -> None:
    house.fleet.put(examples.session(id="demo-1", changes=(examples.change(examples.pull_request()),)))
    with pytest.raises(BadInput, match="head"):
        await call(lambda: client.act("merge", {"session": "demo-1"}))
    with pytest.raises(Conflict):
        await call(lambda: client.act("merge", {"session": "demo-1", "head": examples.OTHER_HEAD}))


async def test_a_preview_shows_the_facts_and_changes_nothing(house: House, client: Client) -> None:
    before = examples.session(id="demo-1", changes=(examples.change(examples.pull_request()),))
    house.fleet.put(before)
    shown = await call(lambda: client.act("approve", {"session": "1"}, preview=True))
    assert from_json(shown).buttons[0].arguments == {"session": "demo-1", "head": examples.HEAD}
    assert house.fleet.get("demo-1") == before


async def test_machine_verbs_are_not_for_the_api(client: Client) -> None:
    with pytest.raises(NotAllowed):
        await call(lambda: client.act("stop"))


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{",
        "null",
        '{"verb": 3}',
        '{"verb": "send", "arguments": []}',
        '{"verb": "send"}',
        "[" * 100_000,
    ],
)
async def test_bad_bodies_are_refused(client: Client, body: str) -> None:
    def ask() -> tuple[int, Any]:
        with wire.ask(client._open(5), "POST", "/api/v1/actions", body.encode(), {}) as answer:
            return answer.status, json.loads(answer.content())

    status, data = await call(ask)
    assert (status, data["code"]) == (400, "bad-input")
    assert data["what"]


async def test_a_body_without_end_is_refused(client: Client) -> None:
    def ask() -> int:
        endless = b'{"verb": "' + b"x" * 300_000
        with wire.ask(client._open(5), "POST", "/api/v1/actions", endless, {}) as answer:
            return answer.status

    assert await call(ask) == 413


async def test_events_come_by_number_and_as_a_stream(house: House, client: Client) -> None:
    house.fleet.put(examples.session(id="demo-1"))
    await call(lambda: client.act("hold", {"session": "demo-1"}))
    [first] = await call(lambda: client.events(0))
    assert (first["seq"], first["session"]) == (1, "demo-1")

    def follow() -> list[dict[str, Json]]:
        return [next(stream), next(stream)]

    stream = client.follow(0)
    reading = asyncio.create_task(call(follow))
    await call(lambda: client.act("unhold", {"session": "demo-1"}))
    assert [data["seq"] for data in await reading] == [1, 2]
    await call(stream.close)


async def test_waiting_for_events_ends_with_the_first(house: House, client: Client) -> None:
    house.fleet.put(examples.session(id="demo-1"))
    waiting = asyncio.create_task(call(lambda: client.events(0, wait=20)))
    await call(lambda: client.act("hold", {"session": "demo-1"}))
    assert [data["seq"] for data in await waiting] == [1]


async def test_stopping_ends_the_streams(server: ApiServer, client: Client) -> None:
    reading = asyncio.create_task(call(lambda: list(client.follow(0))))
    await asyncio.sleep(0)
    await server.stop()
    with contextlib.suppress(NoServer):
        assert await reading == []


ASK = """
import sys
from pathlib import Path
from bot.chat.message import Json, from_json
from bot.frontends.api.client import Client
from orchestrator.errors import AoError
try:
    print(Client(Path(sys.argv[1])).sessions())
except AoError as error:
    print(error.code, error.session)
"""


async def _ask_as(path: Path, **env: str) -> str:
    # Through a shell that drops the variable again: what its parent was started with still counts.
    command = f'env -u AO_SESSION_ID "{sys.executable}" -c "$ASK" "{path}"; true'
    done = await call(
        lambda: subprocess.run(
            ["/bin/sh", "-c", command],
            env={**os.environ, "ASK": ASK, "PYTHONPATH": str(Path.cwd()), **env},
            capture_output=True,
            text=True,
            timeout=15,
            check=True,
        )
    )
    return done.stdout.strip()


async def test_a_process_of_a_session_has_no_verbs_of_people(server: ApiServer, tmp_path: Path) -> None:
    path = tmp_path / "run" / "api.sock"
    assert await _ask_as(path) == "[]"
    assert await _ask_as(path, AO_SESSION_ID="demo-1") == "not-allowed demo-1"
