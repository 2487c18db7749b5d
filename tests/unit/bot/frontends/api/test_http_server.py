"""The TCP listener over real sockets: who is let in, and what is served."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path

import pytest

from bot.frontends.api import shapes
from bot.frontends.api.client import Client
from bot.frontends.api.server import ApiServer
from bot.frontends.chat import Figures
from orchestrator.domain.listener import Listener
from orchestrator.domain.person import OWNER
from orchestrator.domain.rights import People, Person
from orchestrator.domain.token import digest_of
from orchestrator.errors import Conflict
from orchestrator.services import tokens
from orchestrator.testing import examples
from orchestrator.testing.fakes.clock import FakeClock
from tests.unit.bot.accounts import use_account
from tests.unit.bot.actions.test_meters import SLOWED, use
from tests.unit.bot.frontends.api.http import ask
from tests.unit.bot.frontends.api.served import Served
from tests.unit.bot.house import House


async def test_a_colleague_steers_a_session_with_a_token(served: Served, house: House) -> None:
    house.fleet.put(examples.session(id="demo-1"))
    port, ada = await served.start(), await served.token("ada")
    found = await ask(port, "/api/v1/sessions", token=ada)
    assert [one["id"] for one in found.data["sessions"]] == ["demo-1"]
    body = {"verb": "send", "arguments": {"session": "demo-1", "text": "be brief"}}
    done = await ask(port, "/api/v1/actions", method="POST", token=ada, body=body, Idempotency_Key="k")
    assert (done.status, done.data["state"]) == (200, "done")
    again = await ask(port, "/api/v1/actions", method="POST", token=ada, body=body, Idempotency_Key="k")
    assert again.data == done.data
    [message] = house.fleet.get("demo-1").messages
    assert (message.by, message.text) == ("ada", "be brief")


async def test_a_token_has_its_persons_rights_and_no_more(served: Served, house: House) -> None:
    house.fleet.put(examples.session(id="demo-1"))
    port, eve = await served.start(), await served.token("eve")
    body = {"verb": "send", "arguments": {"session": "demo-1", "text": "x"}}
    refused = await ask(port, "/api/v1/actions", method="POST", token=eve, body=body)
    assert (refused.status, refused.data["code"]) == (403, "not-allowed")
    assert (await ask(port, "/api/v1/sessions", token=eve)).status == 200
    without = Person(handle="eve", roles={})
    served.people = People((*served.people.persons[:2], without))
    for target in ("/api/v1/sessions", "/api/v1/sessions/demo-1", "/api/v1/events?after=0"):
        assert (await ask(port, target, token=eve)).status == 403, target
    served.people = People(served.people.persons[:2])
    for target in ("/api/v1/health", "/api/v1/sessions"):
        assert (await ask(port, target, token=eve)).status == 401, "nobody knows its person"


@pytest.mark.parametrize(
    "target", ["/api/v1/sessions", "/api/v1/health", "/api/v1/events", "/api/v1/requests/x"]
)
async def test_without_a_token_nothing_is_told(served: Served, target: str) -> None:
    port = await served.start()
    for headers in ({}, {"Authorization": "Bearer ao_wrong"}, {"Authorization": "Basic b3duZXI6"}):
        found = await ask(port, target, **headers)
        assert (found.status, found.data["code"]) == (401, "unauthenticated")
        assert found.headers["www-authenticate"] == "Bearer"
        assert "ao token add" in found.data["next_step"]


async def test_a_token_that_expired_or_was_taken_back_counts_no_more(served: Served, house: House) -> None:
    port, short, gone = await served.start(), await served.token(days=1), await served.token(days=0)
    assert (await ask(port, "/api/v1/sessions", token=short)).status == 200
    clock = house.core.clock
    assert isinstance(clock, FakeClock)
    clock.advance(86400.0)
    assert (await ask(port, "/api/v1/sessions", token=short)).status == 401
    assert (await ask(port, "/api/v1/sessions", token=gone)).status == 200
    kept = house.core.store.tokens.find(gone)
    assert kept is not None
    assert clock.now() - kept.used < 3600
    await tokens.remove(house.core, kept.id, by=OWNER)
    assert (await ask(port, "/api/v1/sessions", token=gone)).status == 401


async def test_a_token_is_kept_as_its_hash_alone(served: Served, house: House) -> None:
    secret = await served.token("ada")
    kept = house.core.home.fleet.read_text()
    assert digest_of(secret) in kept
    assert secret not in kept


async def test_long_work_is_202_and_is_looked_up(served: Served, house: House) -> None:
    house.fleet.put(examples.session(id="demo-1"))
    house.fleet.gate = asyncio.Event()
    port, ada, eve = await served.start(), await served.token("ada"), await served.token("eve")
    body = {"verb": "send", "arguments": {"session": "demo-1", "text": "x"}}
    begun = await ask(port, "/api/v1/actions?wait=0", method="POST", token=ada, body=body)
    assert (begun.status, begun.data["state"]) == (202, "running")
    target = f"/api/v1/requests/{begun.data['request']}"
    assert (await ask(port, target, token=ada)).status == 202
    assert (await ask(port, target, token=eve)).status == 404, "it is somebody else's"
    house.fleet.gate.set()
    done = await ask(port, f"{target}?wait=10", token=ada)
    assert (done.status, done.data["state"]) == (200, "done")


@pytest.mark.parametrize("verb", ["merge", "approve"])
async def test_head_is_required(served: Served, house: House, verb: str) -> None:
    house.fleet.put(examples.session(id="demo-1", changes=(examples.change(examples.pull_request()),)))
    port, token = await served.start(), await served.token()
    body = {"verb": verb, "arguments": {"session": "demo-1"}}
    found = await ask(port, "/api/v1/actions", method="POST", token=token, body=body)
    assert (found.status, found.data["code"]) == (400, "bad-input")
    assert "head" in found.data["what"]


async def test_a_stream_goes_on_behind_the_number_that_was_seen(served: Served, house: House) -> None:
    house.fleet.put(examples.session(id="demo-1"))
    port, token = await served.start(), await served.token()
    client = Client(f"http://127.0.0.1:{port}", token=token)
    for verb in ("hold", "unhold", "hold"):
        await asyncio.to_thread(client.act, verb, {"session": "demo-1"})
    whole = [
        json.loads(row)
        for row in (await ask(port, "/api/v1/events?after=1", token=token)).content.splitlines()
    ]
    assert [one["seq"] for one in whole] == [2, 3]
    stream = client.follow(2)
    assert (await asyncio.to_thread(next, stream))["seq"] == 3
    await asyncio.to_thread(client.act, "unhold", {"session": "demo-1"})
    assert (await asyncio.to_thread(next, stream))["seq"] == 4
    await asyncio.to_thread(stream.close)


async def test_stopping_ends_the_streams(served: Served) -> None:
    port, token = await served.start(), await served.token()
    client = Client(f"http://127.0.0.1:{port}", token=token)
    served.house.fleet.put(examples.session(id="demo-1"))
    await asyncio.to_thread(client.act, "hold", {"session": "demo-1"})
    stream = client.follow(0)
    assert (await asyncio.to_thread(next, stream))["seq"] == 1
    ending = asyncio.create_task(asyncio.to_thread(list, stream))
    await served.open[0].stop()
    assert await ending == []
    await served.open[0].stop()


async def test_health_says_why_not(served: Served, house: House) -> None:
    port = await served.start()
    good = await ask(port, "/healthz")
    assert (good.status, good.data["reasons"]) == (200, [])
    clock = house.core.clock
    assert isinstance(clock, FakeClock)
    clock.advance(61.0)
    house.core.home.writable.mkdir()
    bad = await ask(port, "/healthz")
    assert (bad.status, bad.data["ok"]) == (503, False)
    assert ["takes no writes" in bad.data["reasons"][0], "stood still" in bad.data["reasons"][1]] == [
        True,
        True,
    ]


async def test_a_chat_that_is_away_is_named_and_makes_nobody_unhealthy(served: Served, house: House) -> None:
    port = await served.start()
    assert (await ask(port, "/healthz")).data["degraded"] == []
    house.core.surfaces["slack"] = lambda: ("Slack does not answer.", "Wait.")
    found = await ask(port, "/healthz")
    assert (found.status, found.data["ok"]) == (200, True)
    assert found.data["degraded"] == ["slack: Slack does not answer."]


async def test_a_credential_that_is_not_taken_is_named(served: Served, house: House) -> None:
    use_account(house, "GitHub does not take our token.")
    port = await served.start()
    found = await ask(port, "/healthz")
    assert (found.status, found.data["degraded"]) == (200, ["GitHub does not take our token."])


async def test_metrics_are_prometheus_own(served: Served, house: House) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    house.fleet.put(examples.session(id="demo-1"))
    server = served.make()
    server.figures = lambda: (Figures(surface="slack", behind=2, calls=31),)
    await server.start()
    port = server.port
    found = await ask(port, "/metrics")
    assert found.headers["content-type"].startswith("text/plain")
    values = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(found.content.decode())
        for sample in family.samples
    }
    assert values["ao_sessions", "working"] == 1
    assert values["ao_sessions", "stuck"] == 0
    assert values["ao_conversations_behind", "slack"] == 2
    assert values["ao_slack_calls_total",] == 31
    assert values["ao_ticks_total",] == 1
    assert "demo-1" not in found.content.decode(), "no label names a session"


async def test_both_listeners_serve_one_desk(served: Served, house: House, tmp_path: Path) -> None:
    house.fleet.put(examples.session(id="demo-1"))
    local = ApiServer(house.core, served.actions, tmp_path / "api.sock", served.desk)
    await local.start()
    port, token = await served.start(), await served.token()
    here = Client(tmp_path / "api.sock")
    far = Client(f"http://localhost:{port}", token=token)

    def once(client: Client) -> object:
        return client.act("send", {"session": "demo-1", "text": "x"}, key="same")

    assert await asyncio.to_thread(once, here) == await asyncio.to_thread(once, far)
    assert len(house.fleet.get("demo-1").messages) == 1
    await local.stop()
    assert (await ask(port, "/api/v1/sessions", token=token)).status == 200


async def test_a_taken_port_is_left_only_where_nobody_chose_it(served: Served) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        moved = served.make(Listener(port=taken))
        await moved.start()
        assert moved.moved
        assert (await ask(moved.port, "/healthz")).status == 200
        with pytest.raises(Conflict, match=f"127.0.0.1:{taken} is taken"):
            await served.start(Listener(port=taken, chosen=True))


async def test_openapi_describes_what_is_really_answered(served: Served, house: House) -> None:
    whole = examples.session(id="demo-1", changes=(examples.change(examples.pull_request()),))
    house.fleet.put(whole)
    port, token = await served.start(), await served.token()

    async def get(target: str) -> str:
        return (await ask(port, target, token=token)).content.decode()

    async def post(body: object) -> str:
        return (await ask(port, "/api/v1/actions", method="POST", token=token, body=body)).content.decode()

    shapes.Health.model_validate_json(await get("/api/v1/health"))
    shapes.Healthz.model_validate_json(await get("/healthz"))
    assert shapes.Sessions.model_validate_json(await get("/api/v1/sessions")).sessions[0].pull_request
    assert shapes.SessionInFull.model_validate_json(await get("/api/v1/sessions/demo-1")).id == "demo-1"
    shapes.Problem.model_validate_json(await get("/api/v1/sessions/999"))
    shapes.Done.model_validate_json(await post({"verb": "hold", "arguments": {"session": "1"}}))
    shapes.Done.model_validate_json(await post({"verb": "status", "arguments": {}}))
    shapes.Shown.model_validate_json(
        await post({"verb": "approve", "arguments": {"session": "1"}, "preview": True})
    )
    shapes.Problem.model_validate_json(
        await post({"verb": "send", "arguments": {"session": "9", "text": "x"}})
    )
    for row in (await get("/api/v1/events")).splitlines():
        shapes.Event.model_validate_json(row)
    document = json.loads(await get("/api/v1/openapi.json"))
    served_paths = {"/api/v1/sessions", "/api/v1/actions", "/api/v1/events", "/healthz", "/metrics"}
    assert served_paths <= set(document["paths"])
    assert set(document["components"]["schemas"]) >= {model.__name__ for model in shapes.MODELS}


async def test_what_is_left_of_outside_limits_is_told_to_machines(served: Served) -> None:
    use(served.house, "metered", SLOWED)
    port = await served.start()
    found = await ask(port, "/healthz")
    assert found.data["degraded"] == [f"github.com graphql: {SLOWED.words}"]
    shapes.Healthz.model_validate(found.data)
    text = (await ask(port, "/metrics")).content.decode()
    assert 'ao_github_remaining{host="github.com",kind="graphql"} 900.0' in text
    assert 'ao_github_calls_total{host="github.com",kind="graphql"} 12.0' in text
