"""A small app on the real slack-bolt, connected to the fake Slack by its base address alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from bot.demo.slack_person import SlackWorld
from bot.demo.slack_server import FakeSlack
from bot.demo.slack_socket import Times

FAST = Times(ack=0.4, retries=(0.0, 0.05, 0.1))
FAKE = "fake"
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def drop_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK takes proxies from the environment and ignores `NO_PROXY`."""
    for name in _PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


class Rig:
    """The fake, an app on it, and the control client."""

    def __init__(self, fake: FakeSlack, client: AsyncWebClient, world: SlackWorld) -> None:
        self.fake = fake
        self.client = client
        self.world = world
        self.app = AsyncApp(client=client)
        self._handlers: list[AsyncSocketModeHandler] = []

    async def connect(self) -> None:
        handler = AsyncSocketModeHandler(self.app, f"xapp-{FAKE}", ping_interval=0.5)
        await handler.connect_async()  # type: ignore[no-untyped-call] # the library's
        self._handlers.append(handler)
        await self.world.sockets(opened=len(self._handlers))

    async def close(self) -> None:
        for handler in self._handlers:
            await handler.close_async()  # type: ignore[no-untyped-call] # the library's


@asynccontextmanager
async def rig(times: Times = FAST) -> AsyncIterator[Rig]:
    fake = FakeSlack(times=times)
    await fake.start()
    async with aiohttp.ClientSession() as session, SlackWorld(fake.address()) as world:
        client = AsyncWebClient(
            token=f"xoxb-{FAKE}",
            base_url=fake.address("api/"),
            session=session,
            retry_handlers=[AsyncRateLimitErrorRetryHandler(max_retry_count=3)],
        )
        made = Rig(fake, client, world)
        try:
            yield made
        finally:
            await made.close()
            await fake.stop()


async def come(look: Callable[[], Any], patience: float = 15.0) -> Any:
    """Wait until `look` finds something."""
    limit = time.monotonic() + patience
    while not (found := look()):
        assert time.monotonic() < limit, "it did not come"
        await asyncio.wait([asyncio.ensure_future(asyncio.sleep(0))], timeout=0.01)
    return found
