"""Webhooks keep the promise of the notifier port, against a real server on this machine."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from typing_extensions import override

from orchestrator.domain.event import Level
from orchestrator.errors import PermanentError, TemporaryError
from orchestrator.testing.contracts.notifier import NotifierContract, notification
from plugins._shared.http_client import HttpClient
from plugins.notifier.webhook import PLUGIN, WebhookNotifier, WebhookOptions

NOW = 1_800_000_000.0


@dataclass
class Receiver:
    """An HTTP server that keeps what it gets and answers as it is told, in order, then 200."""

    port: int = 0
    answers: list[str] = field(default_factory=list)
    requests: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)
    accepted: list[bytes] = field(default_factory=list)
    always: str = "200 OK\r\n\r\nok"

    @property
    def url(self) -> str:
        """Where to post to; the path holds a secret, as addresses of webhooks do."""
        return f"http://127.0.0.1:{self.port}/hook/path-secret"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:] if line)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.requests.append((head[0], headers, body))
            answer = self.answers.pop(0) if self.answers else self.always
            if answer == "hang":
                await reader.read()
                return
            if answer.startswith("2"):
                self.accepted.append(body)
            first, _, rest = answer.partition("\r\n")
            writer.write(f"HTTP/1.1 {first}\r\nConnection: close\r\n{rest}".encode())
            await writer.drain()
        finally:
            writer.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made


def _notifier(receiver: Receiver, pauses: list[float] | None = None, **options: Any) -> WebhookNotifier:
    async def pause(seconds: float) -> None:
        if pauses is not None:
            pauses.append(seconds)

    raw = {"url": receiver.url, "timeout": 5, **options}
    assert PLUGIN.options.problems(raw) == []
    chosen = WebhookOptions.model_validate(raw)
    return WebhookNotifier(chosen, HttpClient(chosen.timeout), lambda: NOW, pause)


class TestWebhookNotifier(NotifierContract):
    @override
    @pytest.fixture(autouse=True)
    async def notifier(self, receiver: Receiver) -> AsyncIterator[WebhookNotifier]:
        self.receiver = receiver
        notifier = _notifier(receiver)
        yield notifier
        await notifier.aclose()

    @override
    async def received(self) -> Sequence[str]:
        return [body.decode() for body in self.receiver.accepted]

    @override
    async def break_receiver(self) -> None:
        self.receiver.always = "500 Broken\r\n\r\n"


async def _sent(
    receiver: Receiver, level: Level = Level.URGENT, **options: Any
) -> tuple[Mapping[str, str], Any]:
    notifier = _notifier(receiver, **options)
    await notifier.notify(notification(level=level))
    await notifier.aclose()
    line, headers, body = receiver.requests[-1]
    assert line.startswith("POST ")
    return headers, json.loads(body)


async def test_our_own_form_holds_everything(receiver: Receiver) -> None:
    headers, body = await _sent(receiver, headers={"X-Team": "blue"})
    assert headers["x-team"] == "blue"
    assert headers["content-type"] == "application/json"
    assert headers["x-ao-delivery"] == "demo-1:1"
    assert "x-ao-signature" not in headers
    assert (body["v"], body["type"]) == (1, "notification")
    assert body["notification"]["actions"] == [{"label": "Retry", "verb": "retry demo-1"}]
    assert body["notification"]["level"] == "urgent"


async def test_the_signature_covers_the_timestamp_and_the_raw_body(receiver: Receiver) -> None:
    headers, _ = await _sent(receiver, secret="s3cret-value")  # noqa: S106 - made up
    raw = receiver.requests[-1][2]
    assert headers["x-ao-timestamp"] == "1800000000"
    wanted = hmac.new(b"s3cret-value", b"1800000000." + raw, hashlib.sha256).hexdigest()
    assert headers["x-ao-signature"] == f"sha256={wanted}"
    assert b"s3cret-value" not in raw


async def test_pagerduty(receiver: Receiver) -> None:
    _, body = await _sent(receiver, preset="pagerduty", routingKey="R" * 32)
    assert (body["routing_key"], body["event_action"], body["dedup_key"]) == ("R" * 32, "trigger", "demo-1:1")
    assert body["payload"]["severity"] == "critical"
    assert body["payload"]["summary"] == "CI failed for the 1. time"
    assert body["payload"]["source"] == "demo-1"
    assert "2 of 30 failed" in body["payload"]["custom_details"]["text"]
    assert body["links"] == [{"href": "https://example.org/pull/7", "text": "Open"}]


async def test_opsgenie(receiver: Receiver) -> None:
    headers, body = await _sent(receiver, Level.ACTION, preset="opsgenie", apiKey="opsgenie-key")
    assert headers["authorization"] == "GenieKey opsgenie-key"
    assert (body["alias"], body["priority"]) == ("demo-1:1", "P2")
    assert "ao retry demo-1" in body["description"]


async def test_ntfy(receiver: Receiver) -> None:
    headers, body = await _sent(receiver, Level.INFO, preset="ntfy", topic="my-topic", token="tk_1")  # noqa: S106
    assert headers["authorization"] == "Bearer tk_1"
    assert (body["topic"], body["priority"], body["click"]) == ("my-topic", 2, "https://example.org/pull/7")


@pytest.mark.parametrize("status", ["500 No", "503 No", "429 No", "408 No"])
async def test_what_may_pass_is_tried_again(receiver: Receiver, status: str) -> None:
    receiver.answers = [f"{status}\r\n\r\n", f"{status}\r\n\r\n"]
    pauses: list[float] = []
    notifier = _notifier(receiver, pauses, retryDelayMs=100)
    await notifier.notify(notification())
    assert len(receiver.requests) == 3
    assert len({body for _, _, body in receiver.requests}) == 1
    assert pauses == [0.1, 0.2]
    await notifier.aclose()


async def test_the_server_says_how_long_to_wait(receiver: Receiver) -> None:
    receiver.answers = ["429 No\r\nRetry-After: 7\r\n\r\n"]
    pauses: list[float] = []
    notifier = _notifier(receiver, pauses)
    await notifier.notify(notification())
    assert pauses == [7.0]
    await notifier.aclose()


@pytest.mark.parametrize("when", ["600", "Fri, 15 Jan 2027 08:10:00 GMT"])
async def test_a_long_wait_is_left_to_the_caller(receiver: Receiver, when: str) -> None:
    receiver.always = f"503 No\r\nRetry-After: {when}\r\n\r\n"
    notifier = _notifier(receiver)
    with pytest.raises(TemporaryError) as caught:
        await notifier.notify(notification())
    assert caught.value.delay == 600
    assert len(receiver.requests) == 1
    await notifier.aclose()


@pytest.mark.parametrize(
    "status", ["400 Bad", "401 No", "404 No", "301 Moved\r\nLocation: http://127.0.0.1:1/"]
)
async def test_a_refusal_is_not_tried_again(receiver: Receiver, status: str) -> None:
    receiver.always = f"{status}\r\n\r\nwrong key"
    notifier = _notifier(receiver)
    with pytest.raises(PermanentError, match=status[:3]):
        await notifier.notify(notification())
    assert len(receiver.requests) == 1
    await notifier.aclose()


async def test_a_server_that_hangs_is_given_up(receiver: Receiver) -> None:
    receiver.always = "hang"
    notifier = _notifier(receiver, timeout=0.2, retries=1)
    with pytest.raises(TemporaryError, match="did not answer within"):
        await notifier.notify(notification())
    assert len(receiver.requests) == 2
    await notifier.aclose()


async def test_nobody_there_is_a_failure_that_may_pass(receiver: Receiver) -> None:
    notifier = _notifier(receiver, url="http://127.0.0.1:1/x", retries=0)
    with pytest.raises(TemporaryError, match="cannot be reached"):
        await notifier.notify(notification())
    await notifier.aclose()


async def test_no_secret_is_in_an_error_or_a_log(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secrets: dict[str, Any] = {"secret": "first-secret", "headers": {"Authorization": "Bearer second-secret"}}
    for answer in (
        "400 Bad\r\n\r\nyou sent second-secret signed with first-secret",
        "500 Bad\r\n\r\nsecond-secret",
    ):
        receiver.always = answer
        notifier = _notifier(receiver, retries=0, **secrets)
        with pytest.raises((PermanentError, TemporaryError)) as caught:
            await notifier.notify(notification())
        await notifier.aclose()
        for words in (str(caught.value), repr(caught.value), repr(caught.value.__cause__)):
            assert not [each for each in ("first-secret", "second-secret", "path-secret") if each in words]
    bad = _notifier(receiver, headers={"X-Bad": "line\nbreak-secret"})
    with pytest.raises(PermanentError) as caught_bad:
        await bad.notify(notification())
    assert "break-secret" not in str(caught_bad.value)
    assert not [each for each in ("first-secret", "second-secret", "path-secret") if each in caplog.text]
    await bad.aclose()


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({}, "url"),
        ({"url": "ftp://x"}, "url"),
        ({"preset": "pagerduty"}, "routing_key"),
        ({"preset": "opsgenie"}, "api_key"),
        ({"preset": "ntfy"}, "topic"),
        ({"url": "https://x", "timeout": 0}, "timeout"),
        ({"url": "https://x", "retries": 99}, "retries"),
        ({"url": "https://x", "retry": 1}, "retry"),
        ({"preset": "pager"}, "preset"),
    ],
)
def test_a_wrong_block_says_where(raw: dict[str, object], field: str) -> None:
    assert [problem.path[0] for problem in PLUGIN.options.problems(raw)] == [field]
