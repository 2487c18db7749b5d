"""What every request over TCP must pass, over real sockets: name, origin, size, time, proxy."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from starlette.types import Message, Receive, Scope, Send

from bot.frontends.api.guard import MOST_BODY, Guard, TooSlow
from tests.unit.bot.frontends.api.http import ask, raw
from tests.unit.bot.frontends.api.served import HERE, Impatient, Served


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "a@localhost", "", "x y"]
)
async def test_another_name_is_refused_so_that_dns_rebinding_gains_nothing(served: Served, host: str) -> None:
    port, token = await served.start(), await served.token()
    for target in ("/api/v1/sessions", "/healthz", "/metrics", "/console/"):
        found = await ask(port, target, token=token, Host=host)
        assert found.status in {400, 421}, target
    assert (await ask(port, "/console/", Host=f"LocalHost:{port}")).status == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example", "http://127.0.0.1:1"]
)
async def test_what_changes_something_comes_from_a_page_of_ours_or_with_a_token(
    served: Served, origin: str
) -> None:
    port, token = await served.start(), await served.token()
    ours = f"http://127.0.0.1:{port}"
    assert (await ask(port, "/console/", method="POST", Origin=ours)).status == 200
    assert (await ask(port, "/console/", method="POST", Origin=origin)).status == 403
    assert (await ask(port, "/console/", method="POST", Cookie="s=1")).status == 403
    assert (await ask(port, "/console/", method="POST", token=token, Cookie="s=1")).status == 403
    assert (
        await ask(port, "/console/", method="POST", token=token, Sec_Fetch_Site="cross-site")
    ).status == 403
    body = {"verb": "status", "arguments": {}}
    assert (
        await ask(port, "/api/v1/actions", method="POST", token=token, body=body, Origin=origin)
    ).status == 403
    assert (await ask(port, "/api/v1/actions", method="POST", token=token, body=body)).status == 200


async def test_answers_carry_what_browsers_must_hear(served: Served) -> None:
    port = await served.start()
    for target in ("/console/", "/healthz", "/nowhere", "/api/v1/sessions"):
        headers = (await ask(port, target)).headers
        assert headers["x-content-type-options"] == "nosniff", target
        assert headers["x-frame-options"] == "DENY"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers


async def test_a_body_is_bounded_with_and_without_a_length(served: Served) -> None:
    port, token = await served.start(), await served.token()
    big = b'{"verb":"' + b"x" * MOST_BODY + b'"}'
    assert (await ask(port, "/api/v1/actions", method="POST", token=token, body=big)).status == 413
    head = f"POST /api/v1/actions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n"
    chunk = f"{len(big):x}\r\n".encode() + big + b"\r\n0\r\n\r\n"
    found = await raw(port, head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + chunk)
    assert (found.status, found.data["code"]) == (413, "too-large")


async def test_a_client_that_sends_no_request_is_let_go(served: Served) -> None:
    port = await served.start(protocol=Impatient)
    assert (await raw(port, b"GET /healthz HT")).status == 0
    once = f"GET /healthz HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode()
    assert (await raw(port, once + b"GET /healthz HT")).status == 200
    assert (await ask(port, "/healthz")).status == 200


async def test_health_and_metrics_need_a_token_where_others_can_ask(served: Served) -> None:
    behind = replace(HERE, public_url="https://ao.example.org")
    port, token = await served.start(behind), await served.token("ada")
    for target in ("/healthz", "/metrics", "/api/v1/openapi.json"):
        assert (await ask(port, target)).status == 200
        assert (await ask(port, target, Host="ao.example.org")).status == 401
        assert (await ask(port, target, X_Forwarded_For="10.0.0.1")).status == 401
        assert (await ask(port, target, Host="ao.example.org", token=token)).status == 200
    everywhere = replace(behind, host="0.0.0.0")  # noqa: S104 - that is the case
    assert (await ask(await served.start(everywhere), "/metrics")).status == 401


async def test_a_proxy_is_believed_only_where_it_is_trusted(served: Served) -> None:
    import ipaddress

    told = {"X_Forwarded_For": "6.6.6.6, 10.1.2.3", "X_Forwarded_Proto": "https"}
    port = await served.start()
    assert (await ask(port, "/console/", **told)).content == b"page for 127.0.0.1 by http"
    trusting = replace(
        HERE, proxies=(ipaddress.ip_network("127.0.0.0/8"),), public_url="https://ao.example.org"
    )
    port = await served.start(trusting)
    found = await ask(port, "/console/", Host="ao.example.org", **told)
    assert found.content == b"page for 10.1.2.3 by https"
    assert "strict-transport-security" in found.headers
    ours = "https://ao.example.org"
    assert (await ask(port, "/console/", method="POST", Host="ao.example.org", Origin=ours)).status == 200


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    async def never() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def reads(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()

    async def unheard(_message: Message) -> None:
        return None

    headers = [(b"host", b"localhost"), (b"authorization", b"Bearer x")]
    scope = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "headers": headers,
        "client": ("127.0.0.1", 1),
    }
    with pytest.raises(TooSlow, match="in time"):
        await Guard(reads, HERE, body_within=0.01)(scope, never, unheard)
