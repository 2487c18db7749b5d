"""The fake Slack in the test's own process, with a clock that stands still, and calls as a bare client makes them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from bot.demo.slack_person import SlackWorld
from bot.demo.slack_server import FakeSlack
from bot.demo.slack_socket import Times

BOT_TOKEN = "xoxb-fake"  # noqa: S105 - no password
APP_TOKEN = "xapp-fake"  # noqa: S105 - no password
START = 1_790_000_000.0


class Slack:
    """What the tests hold."""

    def __init__(self, fake: FakeSlack, session: aiohttp.ClientSession, world: SlackWorld) -> None:
        self.fake = fake
        self.session = session
        self.world = world

    async def send(self, method: str, token: str = BOT_TOKEN, **arguments: Any) -> tuple[int, Any, str]:
        """Status, body, Retry-After."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        address = self.fake.address(f"api/{method}")
        async with self.session.post(address, json=arguments, headers=headers) as response:
            return response.status, await response.json(), response.headers.get("Retry-After", "")

    async def ok(self, method: str, **arguments: Any) -> Any:
        status, body, _wait = await self.send(method, **arguments)
        assert (status, body["ok"]) == (200, True), body
        return body

    async def error(self, method: str, **arguments: Any) -> str:
        _status, body, _wait = await self.send(method, **arguments)
        assert not body["ok"], body
        return str(body["error"])

    async def respond(self, token: str, **body: Any) -> tuple[int, str]:
        async with self.session.post(self.fake.address(f"response/{token}"), json=body) as response:
            text = await response.text()
            return response.status, text if response.status == 200 else (await response.json())["error"]


@asynccontextmanager
async def slack_rig() -> AsyncIterator[Slack]:
    fake = FakeSlack(times=Times(ack=0.2, retries=(0.0, 0.0, 0.0)), now=lambda: START)
    await fake.start()
    async with aiohttp.ClientSession() as session, SlackWorld(fake.address()) as world:
        try:
            yield Slack(fake, session, world)
        finally:
            await fake.stop()
