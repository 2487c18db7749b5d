"""Somebody with a role in one of two projects sees that one, over TCP and over the socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from bot.frontends.api import wire
from bot.frontends.api.client import Client
from bot.frontends.api.reach import Reach, TcpReach, UnixReach
from bot.frontends.api.server import ApiServer
from orchestrator.domain.event import Event
from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.person import OWNER
from orchestrator.domain.rights import People, Person, Role
from orchestrator.errors import BadInput, NotAllowed
from orchestrator.services import tokens
from orchestrator.testing import examples
from tests.unit.bot.frontends.api.http import ask
from tests.unit.bot.frontends.api.served import Served
from tests.unit.bot.house import House

MINE, OTHER, FLEET = "mine happened", "other happened", "the fleet happened"
ROLES = {
    "vic": {"demo": Role.APPROVER},
    "ada": {"*": Role.ADMIN},
    "eve": {"*": Role.VIEWER},
}
"""Vic sees one project, Ada is admin of all, Eve sees all."""


def people(owner: str = "", **others: dict[str, Role]) -> People:
    roles = {**ROLES, **others}
    return People(tuple(Person(handle=name, roles=roles[name], owner=name == owner) for name in roles))


@pytest.fixture
async def two(served: Served, house: House) -> Served:
    """Two sessions on the same issue, in two projects; an event of each, and one of the fleet."""
    served.people = people()
    house.fleet.put(examples.session(id="demo-1"))
    house.fleet.put(examples.session(id="other-1", project=ProjectId("other")))
    await happen(house, 1)
    return served


async def happen(house: House, number: int) -> None:
    for project, session, text in (("other", "other-1", OTHER), ("", None, FLEET), ("demo", "demo-1", MINE)):
        await house.core.store.log.append(
            [
                Event(
                    id=f"{project}:{number}",
                    type="session.noted",
                    at=house.core.clock.now(),
                    project=ProjectId(project),
                    session=SessionId(session) if session else None,
                    text=text,
                )
            ]
        )


@dataclass(frozen=True, slots=True)
class Way:
    """How somebody gets to the server."""

    reach: Reach
    client: Client

    def request(self, name: str) -> int:
        """The status with which a request is answered."""
        target = f"/api/v1/requests/{name}"
        with wire.ask(self.reach.open(10), "GET", target, b"", self.reach.headers) as answer:
            answer.content()
            return answer.status


To: TypeAlias = Callable[[str], Awaitable[Way]]


@pytest.fixture(params=["tcp", "socket"])
async def to(request: pytest.FixtureRequest, two: Served, tmp_path: Path) -> AsyncIterator[To]:
    """The way of a person: over TCP by their token, over the socket as whoever owns the machine."""
    path = tmp_path / "api.sock"
    local = ApiServer(two.house.core, two.actions, path, two.desk)
    await local.start()
    port = await two.start()

    async def far(person: str) -> Way:
        address, token = f"http://127.0.0.1:{port}", await two.token(person)
        return Way(TcpReach(address, token), Client(address, token=token, timeout=10))

    async def here(person: str) -> Way:
        two.people = people(owner=person)
        return Way(UnixReach(path), Client(path, timeout=10))

    yield far if request.param == "tcp" else here
    await local.stop()


def texts(rows: list[dict[str, Any]]) -> list[str]:
    return [row["text"] for row in rows]


async def test_pages_of_events_hold_what_one_may_see(to: To, house: House) -> None:
    vic = (await to("vic")).client
    await happen(house, 2)
    assert texts(await asyncio.to_thread(vic.events, 0)) == [MINE, MINE]
    first = await asyncio.to_thread(vic.events, 0, limit=1)
    assert texts(first) == [MINE], "what others did takes no place of a page"
    assert texts(await asyncio.to_thread(vic.events, int(str(first[-1]["seq"])), limit=1)) == [MINE]


async def test_what_is_of_the_fleet_is_for_those_with_a_role_in_all_projects(to: To) -> None:
    eve = (await to("eve")).client
    assert texts(await asyncio.to_thread(eve.events, 0)) == [OTHER, FLEET, MINE]


async def test_a_stream_tells_what_one_may_see(to: To, house: House) -> None:
    vic = (await to("vic")).client
    stream = vic.follow(0)
    assert (await asyncio.to_thread(next, stream))["text"] == MINE
    await happen(house, 2)
    assert (await asyncio.to_thread(next, stream))["text"] == MINE
    await asyncio.to_thread(stream.close)


async def test_waiting_is_for_what_one_may_see(to: To, house: House) -> None:
    vic = (await to("vic")).client
    last = house.core.store.log.last_seq
    waiting = asyncio.create_task(asyncio.to_thread(vic.events, last, wait=10.0))
    await happen(house, 2)
    assert texts(await waiting) == [MINE]


async def test_sessions_of_other_projects_are_not_shown(to: To) -> None:
    vic = (await to("vic")).client
    assert [one["id"] for one in await asyncio.to_thread(vic.sessions)] == ["demo-1"]
    assert (await asyncio.to_thread(vic.session, "1"))["id"] == "demo-1", (
        "their issue 1, not another project's"
    )
    for look in (lambda: vic.session("other-1"), lambda: vic.sessions(project="other")):
        with pytest.raises(NotAllowed, match="other"):
            await asyncio.to_thread(look)
    eve = (await to("eve")).client
    assert len(await asyncio.to_thread(eve.sessions)) == 2
    with pytest.raises(BadInput, match="several"):
        await asyncio.to_thread(eve.session, "1")


async def test_an_answer_is_for_who_asked_and_for_admins(to: To, two: Served) -> None:
    port, vic = await two.start(), await two.token("vic")
    body = {"verb": "hold", "arguments": {"session": "demo-1"}}
    asked = (await ask(port, "/api/v1/actions", method="POST", token=vic, body=body)).data["request"]
    found = {name: await asyncio.to_thread((await to(name)).request, asked) for name in ROLES}
    assert found == {"vic": 200, "ada": 200, "eve": 404}


async def test_a_stream_ends_when_its_token_does(two: Served, house: House) -> None:
    port, secret = await two.start(), await two.token("vic")
    stream = Client(f"http://127.0.0.1:{port}", token=secret).follow(0)
    assert (await asyncio.to_thread(next, stream))["text"] == MINE
    kept = house.core.store.tokens.find(secret)
    assert kept is not None
    await tokens.remove(house.core, kept.id, by=OWNER)
    await happen(house, 2)
    assert await asyncio.to_thread(list, stream) == []


async def test_a_stream_follows_a_right_that_is_taken_away(two: Served, house: House) -> None:
    port = await two.start()
    stream = Client(f"http://127.0.0.1:{port}", token=await two.token("vic")).follow(0)
    assert (await asyncio.to_thread(next, stream))["text"] == MINE
    two.people = people(vic={"other": Role.VIEWER})
    await happen(house, 2)
    assert (await asyncio.to_thread(next, stream))["text"] == OTHER
    await asyncio.to_thread(stream.close)
