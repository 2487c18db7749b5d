"""The client under bad weather: web pages for data, redirects, drips, floods, refusals, many calls at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from orchestrator.errors import AoError, NotAllowed, PermanentError, TemporaryError
from plugins._shared.github import wire as github_wire
from plugins._shared.github.client import GitHub
from tests.unit.plugins._shared.github.rig import Token

SECRET = "ghp_" + "s" * 36
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Server:
    """Answers as a test says; keeps what came."""

    handler: Handler
    hub: GitHub
    clock: list[float]
    seen: list[web.Request] = field(default_factory=list)


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Server]:
    async def answer(request: web.Request) -> web.StreamResponse:
        made.seen.append(request)
        return await made.handler(request)

    async def empty(_request: web.Request) -> web.StreamResponse:
        return web.json_response({})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    clock = [1_800_000_000.0]
    hub = GitHub(f"http://127.0.0.1:{runner.addresses[0][1]}/api/v3", Token(SECRET), now=lambda: clock[0])
    made = Server(empty, hub, clock)
    yield made
    await hub.close()
    await runner.cleanup()


def says(status: int = 200, body: Any = None, **options: Any) -> Handler:
    async def answer(_request: web.Request) -> web.StreamResponse:
        if isinstance(body, str):
            return web.Response(status=status, text=body, **options)
        return web.json_response(body or {}, status=status, **options)

    return answer


async def refused(server: Server, path: str = "/x") -> AoError:
    with pytest.raises(AoError) as caught:
        await server.hub.rest("GET", path)
    assert SECRET not in str(caught.value)
    return caught.value


async def test_many_calls_at_once_each_get_their_own_answer(server: Server) -> None:
    async def echo(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0)
        return web.json_response({"path": request.path})

    server.handler = echo
    answers = await asyncio.gather(*(server.hub.rest("GET", f"/item/{n}") for n in range(60)))
    assert [a.data["path"] for a in answers] == [f"/api/v3/item/{n}" for n in range(60)]
    assert len(server.seen) == 60


async def test_connections_are_kept_open_between_calls(server: Server) -> None:
    for _ in range(5):
        await server.hub.rest("GET", "/x")
    assert (
        len({request.transport.get_extra_info("peername") for request in server.seen if request.transport})
        <= 1
    )


async def test_a_repository_that_moved_is_followed_with_its_query_and_told_of_once(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    async def moved(request: web.Request) -> web.StreamResponse:
        if "/old" in request.path:
            where = f"{server.hub.url}/repositories/7/labels?{request.query_string}"
            return web.json_response(
                {"message": "Moved Permanently"}, status=301, headers={"Location": where}
            )
        return web.json_response([dict(request.query)])

    server.handler = moved
    for _ in range(2):
        answer = await server.hub.rest("GET", "/repos/o/old/labels", query={"page": 3})
        assert answer.data == [{"page": "3"}]
    await server.hub.rest("GET", "/repos/o/old/issues/1/comments", query={"page": 1})
    assert (
        len([r for r in caplog.records if "put the new name into the configuration" in r.getMessage()]) == 1
    )


async def test_nobody_sends_our_token_to_another_server(server: Server) -> None:
    server.handler = says(301, headers={"Location": "http://localhost:1/evil"})
    assert isinstance(await refused(server), PermanentError)
    server.handler = says(
        302, headers={"Location": f"{server.hub.url.replace('127.0.0.1', 'localhost')}/log"}
    )
    answer = await server.hub.rest("GET", "/repos/o/r/actions/jobs/1/logs")
    assert answer.status == 302
    assert len(server.seen) == 2


async def test_a_log_elsewhere_is_fetched_without_our_token(server: Server) -> None:
    async def two(request: web.Request) -> web.StreamResponse:
        if request.path == "/elsewhere":
            return web.Response(text="line 1\nline 2")
        where = f"{server.hub.url.removesuffix('/api/v3')}/elsewhere?sig=x"
        return web.Response(status=302, headers={"Location": where})

    server.handler = two
    assert await server.hub.download("/repos/o/r/actions/jobs/1/logs") == "line 1\nline 2"
    assert "Authorization" in server.seen[0].headers
    assert "Authorization" not in server.seen[1].headers


async def test_a_web_page_for_data_is_an_outage(server: Server) -> None:
    server.handler = says(200, "<html>Unicorn!</html>", content_type="text/html")
    error = await refused(server)
    assert isinstance(error, TemporaryError)
    assert "a web page instead of data" in str(error)


async def test_half_a_document_is_an_outage(server: Server) -> None:
    server.handler = says(200, '{"a": ', content_type="application/json")
    assert isinstance(await refused(server), TemporaryError)


async def test_in_an_outage_the_next_call_is_not_even_made(server: Server) -> None:
    server.handler = says(502, {"message": "Server Error"})
    await refused(server)
    server.hub.budget.failed(server.clock[0])
    server.clock[0] += 3
    await refused(server)
    calls = len(server.seen)
    error = await refused(server)
    assert "is not asked now" in str(error)
    assert "is in trouble" in str(error)
    assert len(server.seen) == calls
    server.handler = says(200, {"fine": True})
    server.clock[0] += 60
    assert (await server.hub.rest("GET", "/x")).data == {"fine": True}


async def test_retry_after_holds_every_call_of_the_identity(server: Server) -> None:
    message = {"message": "You have exceeded a secondary rate limit."}
    server.handler = says(403, message, headers={"Retry-After": "90"})
    error = await refused(server)
    assert isinstance(error, TemporaryError)
    assert error.delay == 90
    server.handler = says(200, {"data": {}})
    with pytest.raises(TemporaryError, match="asks to wait"):
        await server.hub.graphql("query Q { viewer { login } }")
    assert len(server.seen) == 1
    server.clock[0] += 91
    await server.hub.graphql("query Q { viewer { login } }")


async def test_a_403_about_rights_holds_nobody(server: Server) -> None:
    server.handler = says(403, {"message": "Resource not accessible by personal access token"})
    assert isinstance(await refused(server), NotAllowed)
    server.handler = says(200, {"fine": True})
    assert (await server.hub.rest("GET", "/x")).data == {"fine": True}


async def test_a_token_that_expired_says_what_to_do(server: Server) -> None:
    server.handler = says(401, {"message": "Bad credentials"})
    error = await refused(server)
    assert isinstance(error, NotAllowed)
    assert "Renew the token" in error.next_step


async def test_graphql_that_says_rate_limited_holds_everybody(server: Server) -> None:
    server.handler = says(200, {"data": None, "errors": [{"type": "RATE_LIMITED", "message": "limit"}]})
    with pytest.raises(TemporaryError):
        await server.hub.graphql("query Q { viewer { login } }")
    assert "asks to wait" in str(await refused(server))


async def test_an_answer_that_never_ends_is_cut_off(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(github_wire, "MOST_BYTES", 1_000_000)
    server.handler = says(200, json.dumps({"x": "y" * 3_000_000}), content_type="application/json")
    error = await refused(server)
    assert isinstance(error, TemporaryError)
    assert "TooLong" in str(error)


async def test_writes_wait_for_their_turn_and_reads_do_not(server: Server) -> None:
    server.handler = says(201, {"ok": True})
    for _ in range(75):
        server.hub.budget.began("rest", server.clock[0], write=True)
    server.clock[0] += 59.9
    order: list[str] = []
    written = asyncio.create_task(server.hub.rest("POST", "/repos/o/r/issues/1/comments", body={"body": "x"}))
    written.add_done_callback(lambda _task: order.append("written"))
    await server.hub.rest("GET", "/x")
    order.append("read")
    server.clock[0] += 1
    assert (await written).status == 201
    assert order[0] == "read"


async def test_names_are_not_looked_up_when_nobody_listens(server: Server) -> None:
    await server.hub.close()
    gone = GitHub("http://127.0.0.1:9/api/v3", Token(SECRET))
    with pytest.raises(TemporaryError, match="cannot be reached"):
        await gone.rest("GET", "/x")
    await gone.close()
