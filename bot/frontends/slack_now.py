"""The Slack front end that the configuration asks for now: begun, exchanged and ended as `chat.slack` changes."""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.frontends.chat import Chat, Figures
from orchestrator.errors import AoError
from orchestrator.ports.notifier import Notifier

if TYPE_CHECKING:
    from bot.frontends.slack.front import SlackFrontEnd
    from orchestrator.settings.chat_model import SlackKeys
    from orchestrator.settings.effective import Settings

log = logging.getLogger(__name__)
NAME = "slack"


class SlackNow:
    """Made inside the loop. Without `chat.slack` nothing of Slack is loaded."""

    def __init__(self, chat: Chat, changed: Callable[[], None]) -> None:
        """`changed` is called whenever `notifiers` are others."""
        self._chat = chat
        self._changed = changed
        self._front: SlackFrontEnd | None = None
        self._keys: SlackKeys | None = None
        """Those that count; after a failed beginning none, so that the next reload tries again."""
        self._wanted: SlackKeys | None = None
        self._exchanging: asyncio.Task[None] | None = None
        self._stopping = False
        self._calls_before = 0

    @property
    def notifiers(self) -> Mapping[str, Notifier]:
        """The front end, by its name, while there is one."""
        return {} if self._front is None else {NAME: self._front}

    @property
    def figures(self) -> tuple[Figures, ...]:
        """In numbers, while there is one; calls of those before it count too."""
        if self._front is None:
            return ()
        now = self._front.figures
        return (replace(now, calls=self._calls_before + now.calls),)

    async def start(self) -> None:
        """Begin, and follow the configuration from now on. Raises `AoError`, `OSError`."""
        settings = self._chat.core.settings
        self._wanted = settings.now.config.chat.slack
        await self._begin(self._wanted)
        settings.on_change(self._follow)

    async def stop(self) -> None:
        """End it. Repeatable."""
        self._stopping = True
        if self._exchanging is not None:
            await asyncio.gather(self._exchanging, return_exceptions=True)
        await self._end()

    def _follow(self, now: Settings) -> None:
        self._wanted = now.config.chat.slack
        busy = self._exchanging is not None and not self._exchanging.done()
        if not busy and not self._stopping and self._wanted != self._keys:
            self._exchanging = asyncio.create_task(self._exchange(), name="slack follows the configuration")

    async def _exchange(self) -> None:
        """Until what is wanted counts: it may change again meanwhile."""
        while not self._stopping and (wanted := self._wanted) != self._keys:
            await self._end()
            try:
                await self._begin(wanted)
            except (AoError, OSError) as error:
                self._failed(error)
                return

    async def _begin(self, keys: SlackKeys | None) -> None:
        if keys is None:
            return
        # Loading it takes longer than anybody else should wait for the loop.
        name = "bot.frontends.slack.front"
        module = await self._chat.core.files.run("front ends", importlib.import_module, name)
        front: SlackFrontEnd = module.SlackFrontEnd(keys, self._chat)
        try:
            await front.start()
        except (AoError, OSError):
            await front.stop()
            raise
        self._front, self._keys = front, keys
        self._chat.core.surfaces[NAME] = front.condition
        self._chat.core.whispers[NAME] = front.whisper
        self._changed()

    async def _end(self) -> None:
        front, self._front, self._keys = self._front, None, None
        self._chat.core.surfaces.pop(NAME, None)
        self._chat.core.whispers.pop(NAME, None)
        if front is None:
            return
        self._changed()  # first: nobody is told anything by one that is ending
        await front.stop()
        self._calls_before += front.figures.calls

    def _failed(self, error: Exception) -> None:
        log.warning("Slack is not begun anew: %s", error)
        trouble = (f"it could not begin: {error}", "`ao reload` tries again.")
        self._chat.core.surfaces[NAME] = lambda: trouble
