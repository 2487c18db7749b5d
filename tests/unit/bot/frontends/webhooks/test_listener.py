"""Webhooks over real sockets: what is taken, what is refused, and that nothing else is served."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

import pytest
from typing_extensions import override

from bot.frontends.api.connection import QuietServer, TcpProtocol, listen_tcp
from bot.frontends.webhooks import listener
from bot.frontends.webhooks.door import COMPLAIN_EVERY, Door
from orchestrator.domain.pull_request import PullRequestState
from orchestrator.errors import Conflict, TemporaryError
from orchestrator.services.webhooks import Receiver, rows
from orchestrator.storage.deliveries import Deliveries, Taken
from orchestrator.storage.faults import NoFaults
from orchestrator.testing.fakes.hearing import delivery
from orchestrator.testing.ring import Ring
from tests.unit.bot.frontends.api.http import ask, raw
from tests.unit.bot.frontends.webhooks.conftest import Post


async def test_a_delivery_wakes_its_session(post: Post) -> None:
    session = await post.ring.spawn()
    assert not post.ring.fleet.told.is_set()
    began = time.monotonic()
    answer = await post.deliver(sessions=[session])
    assert (answer.status, answer.content) == (202, b"taken\n")
    assert time.monotonic() - began < 0.1
    assert post.ring.fleet.told.is_set()
    assert post.ring.scm.forgotten == [session]
    assert post.ring.fleet.take_told() == {session}
    assert post.counted == {("pull_request", "taken"): 1}


async def test_what_the_forge_tells_is_seen_at_once(post: Post) -> None:
    session = await post.ring.spawn()
    await post.ring.pull_request(session)
    assert post.ring.status(session) != "approved"
    post.ring.scm.set_pull(session, title="Told by a webhook")
    await post.deliver(sessions=[session])
    await post.ring.settle()
    change = post.ring.session(session).change
    assert change is not None
    assert change.pr.title == "Told by a webhook"


async def test_issues_wake_the_queue(post: Post) -> None:
    told: list[str] = []
    post.ring.core.hooks.issues_changed.append(told.append)
    await post.deliver(1, "issues", issues=True)
    await post.deliver(2, "push")
    assert told == ["demo"]


async def test_the_same_delivery_again_does_nothing(post: Post) -> None:
    session = await post.ring.spawn()
    await post.deliver(sessions=[session])
    post.ring.fleet.take_told()
    again = await post.deliver(sessions=[session])
    assert (again.status, again.content) == (202, b"taken before\n")
    assert not post.ring.fleet.take_told()
    assert post.ring.scm.forgotten == [session]


async def test_what_was_acknowledged_is_known_after_a_crash(post: Post) -> None:
    session = await post.ring.spawn()
    await post.deliver(1, sessions=[session])
    await post.crash()
    post.ring.fleet.take_told()
    assert (await post.deliver(1, sessions=[session])).content == b"taken before\n"
    assert not post.ring.fleet.take_told()
    assert (await post.deliver(2, sessions=[session])).content == b"taken\n"
    assert "the last delivery (pull_request)" in post.ring.core.hooks.row(
        post.ring.core.settings.now.project_ids[0], post.ring.clock.now()
    )


async def test_of_the_same_delivery_twice_at_once_one_is_taken(post: Post) -> None:
    session = await post.ring.spawn()
    answers = await asyncio.gather(*(post.deliver(sessions=[session]) for _ in range(8)))
    assert sorted(answer.content for answer in answers) == [b"taken\n", *[b"taken before\n"] * 7]
    assert post.ring.scm.forgotten == [session]


@pytest.mark.parametrize("secret", ["", "wrong"])
async def test_what_we_did_not_agree_on_is_refused(post: Post, secret: str) -> None:
    session = await post.ring.spawn()
    headers, body = delivery(1, secret=secret, sessions=[session])
    assert (await post.send(headers, body)).status == 401
    assert not post.ring.fleet.take_told()
    assert post.counted == {("-", "forged"): 1}, "an event that nobody vouches for is not told"


async def test_without_a_secret_nothing_is_accepted(post: Post) -> None:
    post.environment["AO_WEBHOOK_SECRET"] = ""
    for secret in ("", "s3cret"):
        headers, body = delivery(1, secret=secret)
        assert (await post.send(headers, body)).status == 401


async def test_a_secret_can_be_changed_without_a_gap(post: Post) -> None:
    post.environment["NEW"] = "fresh"
    for number, secret in enumerate(("s3cret", "fresh")):
        headers, body = delivery(number, secret=secret)
        assert (await post.send(headers, body)).status == 202


async def test_another_repositorys_delivery_is_refused(post: Post) -> None:
    assert (await post.deliver(repository="o/other")).status == 404
    assert post.counted == {("-", "foreign"): 1}


async def test_a_body_that_is_none_is_refused(post: Post) -> None:
    headers, _ = delivery(1)
    assert (await post.send(headers, b"{")).status == 400
    assert (await post.send(headers, b"")).status == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/hooks/fake/demo"),
        ("PUT", "/hooks/fake/demo"),
        ("OPTIONS", "/hooks/fake/demo"),
        ("POST", "/"),
        ("POST", "/hooks"),
        ("POST", "/hooks/fake/"),
        ("POST", "/hooks/fake/demo/x"),
        ("POST", "/hooks/fake/other"),
        ("POST", "/hooks/github/demo"),
        ("POST", "/hooks/fake/../fake/demo"),
        ("GET", "/healthz"),
        ("GET", "/metrics"),
        ("POST", "/api/v1/actions"),
    ],
)
async def test_nothing_else_is_served(post: Post, method: str, path: str) -> None:
    answer = await ask(post.listener.port, path, method=method)
    assert (answer.status, answer.content) == (404, b"not found\n")
    assert not {"server", "date", "allow", "x-powered-by"} & answer.headers.keys()


async def test_one_address_serves_all_projects(post: Post) -> None:
    assert (await post.deliver(path="/hooks/fake")).status == 202


async def test_a_body_is_refused_by_its_length_before_it_is_read(post: Post) -> None:
    head = b"POST /hooks/fake HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n"
    began = time.monotonic()
    assert (await raw(post.listener.port, head + b"x" * 3000)).status == 413
    assert time.monotonic() - began < 5
    assert post.counted == {("-", "large"): 1}


async def test_a_body_without_a_length_is_refused_while_it_is_read(post: Post) -> None:
    head = b"POST /hooks/fake HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = b"".join(b"400\r\n" + b"x" * 1024 + b"\r\n" for _ in range(3)) + b"0\r\n\r\n"
    assert (await raw(post.listener.port, head + chunks)).status == 413


async def test_a_chunked_delivery_is_taken(post: Post) -> None:
    headers, body = delivery(1)
    rows = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST /hooks/fake HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n{rows}\r\n"
    chunk = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    assert (await raw(post.listener.port, head.encode() + chunk)).status == 202


async def test_a_projects_own_path_and_size_count(post: Post) -> None:
    own = "webhook: {path: /api/webhooks/github, maxBodyBytes: 100, secretEnvVar: OWN}"
    await post.configure("scm: {plugin: fake}", f"scm: {{plugin: fake, {own}}}")
    assert (await post.deliver(1, path="/api/webhooks/github")).status == 401, "its variable is not set"
    post.environment["OWN"] = "mine"
    headers, body = delivery(2, secret="mine")  # noqa: S106 - signs an example
    assert (await post.send(headers, body, "/api/webhooks/github")).status == 202
    assert (await post.send(headers, body + b" " * 100, "/api/webhooks/github")).status == 413
    assert (await post.deliver(3)).status == 401, "the global secret is not this project's"


async def test_a_project_may_be_left_out(post: Post) -> None:
    await post.configure("scm: {plugin: fake}", "scm: {plugin: fake, webhook: {enabled: false}}")
    assert (await post.deliver()).status == 404


async def test_refusals_fill_no_log(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    headers, body = delivery(1, secret="wrong")  # noqa: S106 - signs an example
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            await post.send(headers, body)
        assert len(caplog.records) == 1
        post.ring.clock.advance(COMPLAIN_EVERY)
        await post.send(headers, body)
    assert len(caplog.records) == 2
    assert "4 more" in caplog.text
    assert "wrong" not in caplog.text.replace("x-fake", "")


@pytest.mark.parametrize("bounds", [{"at_once": 2}, {"held": 250}])
async def test_slow_bodies_are_bounded_and_cut_off(post: Post, bounds: dict[str, int]) -> None:
    port, close = await _impatient(post.ring, **bounds)
    try:
        head = b"POST /hooks/fake HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
        answers = await asyncio.gather(*(raw(port, head + b"{") for _ in range(3)))
        assert sorted(one.status for one in answers) == [408, 408, 503]
        headers, body = delivery(1)
        assert (await ask(port, "/hooks/fake", method="POST", body=body, **headers)).status == 202
    finally:
        await close()


async def _impatient(ring: Ring, **bounds: int) -> tuple[int, Callable[[], Awaitable[None]]]:
    """A door over a listener of its own that waits for a body only shortly."""
    receiver = Receiver(ring.core, Deliveries(ring.core.home.path / "beside", NoFaults()))
    await receiver.open()
    door = Door(receiver, ring.core.hooks, ring.clock.monotonic, body_within=0.2, **bounds)
    server = QuietServer(door, TcpProtocol)
    listening = listen_tcp("127.0.0.1", 0, or_free=False)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    await server.until_up(serving)

    async def close() -> None:
        server.leave()
        await serving
        await receiver.close()

    return int(listening.getsockname()[1]), close


async def test_a_large_delivery_is_read_in_a_thread(post: Post) -> None:
    await post.configure("maxBodyBytes: 2048", "maxBodyBytes: 1MB")
    session = await post.ring.spawn()
    assert (await post.deliver(sessions=[session], padding="x" * 100_000)).status == 202
    assert post.ring.fleet.take_told() == {session}


# Lost, late, out of order: a delivery only means to look ----------------------------------------------


async def test_deliveries_out_of_order_change_nothing(post: Post) -> None:
    session = await post.ring.spawn()
    await post.ring.pull_request(session)
    post.ring.scm.set_pull(session, state=PullRequestState.CLOSED)
    for number, action in enumerate(("closed", "opened", "synchronize")):
        await post.deliver(number, sessions=[session], action=action)
        await post.ring.settle()
        assert post.state(session) is PullRequestState.CLOSED, action


async def test_what_a_lost_delivery_had_told_is_polled(post: Post) -> None:
    session = await post.ring.spawn()
    await post.ring.pull_request(session)
    post.ring.scm.set_pull(session, state=PullRequestState.CLOSED)
    await post.ring.later(60)
    assert post.state(session) is PullRequestState.CLOSED


async def test_a_forged_delivery_makes_nobody_look(post: Post) -> None:
    session = await post.ring.spawn()
    await post.ring.pull_request(session)
    before = len(post.ring.scm.calls)
    assert (await post.deliver(secret="guessed", sessions=[session])).status == 401  # noqa: S106 - forged
    await post.ring.rounds.look_at_forge()
    assert len(post.ring.scm.calls) == before


async def test_one_delivery_costs_one_look_at_the_forge(post: Post) -> None:
    session = await post.ring.spawn()
    await post.ring.pull_request(session)
    before = post.ring.scm.calls.count("observe")
    await asyncio.gather(*(post.deliver(number, sessions=[session]) for number in range(20)))
    await post.ring.settle()
    assert post.ring.scm.calls.count("observe") == before + 1


async def test_what_cannot_be_kept_is_obeyed_and_not_acknowledged(post: Post) -> None:
    session = await post.ring.spawn()

    class Full(Deliveries):
        @override
        async def keep(self, one: Taken) -> bool:
            del one
            msg = "the disk is full."
            raise TemporaryError(msg)

    receiver = Receiver(post.ring.core, Full(post.ring.core.home.path, NoFaults()))
    headers, body = delivery(1, sessions=[session])
    with pytest.raises(TemporaryError):
        await receiver.receive(receiver.ways("/hooks/fake"), headers, body)
    assert post.ring.fleet.take_told() == {session}
    assert post.counted == {("pull_request", "failed"): 1}


async def test_how_it_does_is_told(post: Post) -> None:
    core = post.ring.core
    assert rows(core) == [("demo", "no delivery yet: polling covers")]
    await post.deliver()
    [(_, words)] = rows(core)
    assert words.startswith("the last delivery (pull_request) came at ")
    post.ring.clock.advance(2 * 3600 + 60)
    assert rows(core) == [("demo", "no delivery for 2 h: polling covers")]
    await post.listener.stop()
    assert rows(core) == [], "nobody listens"


async def test_a_taken_port_is_said(post: Post) -> None:
    block = post.ring.core.settings.now.config.webhooks
    assert block is not None
    with pytest.raises(Conflict, match="taken") as refused:
        await listener.WebhookListener(post.ring.core, block, "127.0.0.1", post.listener.port).start()
    assert "webhooks.listen" in refused.value.next_step


async def test_a_connection_is_closed_after_a_refusal(post: Post) -> None:
    """What a client sends behind a refused head is never taken for a request of its own."""
    head = b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 60\r\n\r\n"
    answer = await raw(post.listener.port, head + b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
    assert answer.status == 404
    assert answer.content.count(b"HTTP/1.1") == 0
