"""A ring on fakes with its webhook listener over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.frontends.webhooks.listener import WebhookListener
from orchestrator.domain.ids import SessionId
from orchestrator.domain.pull_request import PullRequestState
from orchestrator.testing.fakes.hearing import SIGNED_WITH, delivery
from orchestrator.testing.ring import CONFIG, Ring, open_ring
from tests.unit.bot.frontends.api.http import Answered, ask

BLOCK = """\
webhooks:
  listen: 127.0.0.1:8420
  maxBodyBytes: 2048
  secretEnv: [NEW, AO_WEBHOOK_SECRET]
"""


class Post:
    """A fleet that hears, and whoever delivers to it."""

    def __init__(self, ring: Ring) -> None:
        self.ring = ring
        self.listener = self._made()

    def _made(self) -> WebhookListener:
        self.environment["AO_WEBHOOK_SECRET"] = SIGNED_WITH
        block = self.ring.core.settings.now.config.webhooks
        assert block is not None
        return WebhookListener(self.ring.core, block, "127.0.0.1", 0)

    @property
    def environment(self) -> dict[str, str]:
        """The variables of `ao start`."""
        env = self.ring.core.settings.env
        assert isinstance(env, dict)
        return env

    async def deliver(
        self,
        number: int = 1,
        event: str = "pull_request",
        path: str = "/hooks/fake/demo",
        *,
        secret: str = SIGNED_WITH,
        **told: object,
    ) -> Answered:
        headers, body = delivery(number, event, secret=secret, **told)
        return await self.send(headers, body, path)

    async def send(self, headers: dict[str, str], body: bytes, path: str = "/hooks/fake") -> Answered:
        return await ask(self.listener.port, path, method="POST", body=body, **headers)

    @property
    def counted(self) -> dict[tuple[str, str], int]:
        return dict(self.ring.core.hooks.deliveries)

    async def configure(self, old: str, new: str) -> None:
        """Change the configuration's text, and take it over."""
        settings = self.ring.core.settings
        text = await asyncio.to_thread(settings.path.read_text)
        assert old in text
        await asyncio.to_thread(settings.path.write_text, text.replace(old, new))
        settings.take((await asyncio.to_thread(settings.look)).require())

    def state(self, session: SessionId) -> PullRequestState:
        """How the session's pull request is known to stand."""
        change = self.ring.session(session).change
        assert change is not None
        return change.pr.state

    async def crash(self) -> None:
        """End as by SIGKILL: nothing more is written; then start anew."""
        await self.listener.stop()
        self.ring = await self.ring.crash()
        self.listener = self._made()
        await self.listener.start()


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    ring = await open_ring(tmp_path, config=CONFIG + BLOCK)
    made = Post(ring)
    await made.listener.start()
    try:
        yield made
    finally:
        await made.listener.stop()
        await ring.close()
