"""The connection to one workspace: the Web API's client, and Socket Mode, connected for as long as we run."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackClientError
from slack_sdk.http_retry.builtin_async_handlers import AsyncServerErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient
from typing_extensions import override

from bot.frontends.slack.calls import LIMIT, Calls
from orchestrator.clock import Clock
from orchestrator.errors import AoError
from orchestrator.settings.chat_model import SlackKeys

log = logging.getLogger(__name__)
_AGAIN = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Seconds between tries to connect; the last one is repeated. A lost socket is opened anew by slack_sdk itself."""
_MOMENT = 2.0
"""Seconds that acknowledgements in hand may still take when we stop."""


class _Handler(AsyncSocketModeHandler):
    """Knows what is in hand: an acknowledgement goes out a moment after the listener has given it."""

    def __init__(self, app: AsyncApp, app_token: str) -> None:
        super().__init__(app, app_token)
        self.in_hand: set[asyncio.Task[Any]] = set()

    @override
    async def handle(self, client: Any, req: Any) -> None:
        task = asyncio.current_task()
        if task is not None:
            self.in_hand.add(task)
            task.add_done_callback(self.in_hand.discard)
        await super().handle(client, req)


class SlackConnection:
    """Made inside the loop; `connect` once, `close` last."""

    def __init__(self, keys: SlackKeys, calls: Calls, clock: Clock) -> None:
        self._keys = keys
        self._calls = calls
        self._clock = clock
        # slack_sdk opens a session for each call unless it is given one, and then leaves the time limit to it.
        self._web = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=LIMIT))
        self._handler: Any = None
        self._connecting: asyncio.Task[None] | None = None
        self.client = AsyncWebClient(
            token=keys.bot_token,
            base_url=keys.api_url,
            session=self._web,
            retry_handlers=[AsyncServerErrorRetryHandler(max_retry_count=1)],
        )
        self.bot_user = ""
        """Our own user id, once connected."""
        self.trouble = "it is not connected yet"
        """Why nothing comes in, in words; empty while all is well."""

    def connect(self, register: Callable[[AsyncApp], None], up: Callable[[], Awaitable[None]]) -> None:
        """Connect in the background, however long Slack is away; `up` is awaited once it is there."""
        self._connecting = asyncio.create_task(self._connect(register, up), name="slack connects")

    async def acknowledged(self) -> None:
        """Let what Slack has sent be acknowledged, for a moment."""
        if self._handler is not None and self._handler.in_hand:
            await asyncio.wait(self._handler.in_hand, timeout=_MOMENT)

    async def close(self) -> None:
        """Let go. Repeatable."""
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        handler, self._handler = self._handler, None
        if handler is not None:
            await handler.close_async()
        await self._web.close()

    async def _connect(self, register: Callable[[AsyncApp], None], up: Callable[[], Awaitable[None]]) -> None:
        tries = 0
        while True:
            try:
                await self._once(register)
            except (AoError, SlackClientError, aiohttp.ClientError, TimeoutError, OSError) as error:
                self.trouble = f"Slack cannot be reached: {type(error).__name__}: {str(error)[:200]}"
                log.warning("%s", self.trouble)
                await self._clock.sleep(_AGAIN[min(tries, len(_AGAIN) - 1)])
                tries += 1
                continue
            self.trouble = ""
            await up()
            return

    async def _once(self, register: Callable[[AsyncApp], None]) -> None:
        who = await self._calls.call("auth", self.client.auth_test)
        self.bot_user = str(who.get("user_id") or "")
        # Without a name it looks for the file of its caller, which blocks.
        app = AsyncApp(name="ao", client=self.client, logger=logging.getLogger("slack_bolt"))
        register(app)
        handler: Any = _Handler(app, self._keys.app_token)
        try:
            async with asyncio.timeout(LIMIT):
                await handler.connect_async()
        except BaseException:
            await handler.close_async()
            raise
        self._handler = handler
