"""The front ends that are configured, started and stopped together. Each is loaded only where it is wanted."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from bot.actions.runner import Actions
from bot.chat.desk import Desk
from bot.frontends.chat import Chat, Figures
from bot.frontends.dispatch import Dispatch
from bot.frontends.slack_now import SlackNow
from orchestrator.ports.notifier import Notifier
from orchestrator.services import people

if TYPE_CHECKING:
    from bot.frontends.api.http_server import HttpServer
    from orchestrator.lifecycle.announcer import Announcer
    from orchestrator.lifecycle.pulse import Pulse
    from orchestrator.services.core import Core

log = logging.getLogger(__name__)


class FrontEnd(Protocol):
    """What all of them can."""

    async def start(self) -> None:
        """Begin. Raises `AoError`, `OSError`."""

    async def stop(self) -> None:
        """End. Repeatable."""


class FrontEnds:
    """Made inside the loop, by `bot.app`, which holds the home's lock."""

    def __init__(self, core: Core, actions: Actions, socket: Path) -> None:
        self._core = core
        self._actions = actions
        self._socket = socket
        self._desk = Desk(actions, core.store.requests, core.clock.now)
        self._chat = Chat(
            core=core, dispatch=Dispatch(core, actions, self._desk), desk=self._desk, access=actions.access
        )
        self._running = contextlib.AsyncExitStack()
        self.lines: list[str] = []
        """What a person should know of them, a line each."""
        self._web: Mapping[str, Notifier] = {}
        self._slack = SlackNow(self._chat, self._told)
        self._listeners: list[Callable[[], None]] = []

    @property
    def notifiers(self) -> Mapping[str, Notifier]:
        """Those that tell people something, by the name of their surface."""
        return {**self._web, **self._slack.notifiers}

    @property
    def figures(self) -> Sequence[Figures]:
        """Chat surfaces in numbers."""
        return self._slack.figures

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever `notifiers` are others."""
        self._listeners.append(listener)

    def _told(self) -> None:
        for listener in self._listeners:
            listener()

    async def start(self, pulse: Pulse, announcer: Announcer) -> None:
        """Answer what a crash cut off, then listen. Raises what a front end raises that cannot begin."""
        from bot.frontends.api import http_server
        from bot.frontends.api.server import ApiServer

        await self._desk.open()
        self._running.push_async_callback(self._desk.close)
        await self._begin(ApiServer(self._core, self._actions, self._socket, self._desk))
        http = http_server.configured(self._core, self._actions, self._desk, pulse, announcer)
        if http is not None:
            http.figures = lambda: self.figures
            await self._console(http)
        self._core.addresses["console"] = http.where if http is not None else "off (`console.listen`)"
        self._pairing()
        await self._begin(self._slack)
        await self._webhooks()

    async def stop(self) -> None:
        """Stop all of them, the newest first. Repeatable."""
        await self._running.aclose()

    async def _console(self, http: HttpServer) -> None:
        """The web console's pages, on the server that programs ask too."""
        from bot.frontends.web.wiring import open_site

        core = self._core
        site = await open_site(core, self._chat.dispatch, self._desk, self._actions.access)
        self._running.push_async_callback(site.stop)
        http.pages = site.routes()
        await self._begin(http)
        self._running.push_async_callback(site.stop)  # first of all: the server waits for its streams
        core.door.address = http.url
        self.lines += [*http.lines, core.door.invitation(core.clock.now())]
        self._web = {"web": site.notices}

    def _pairing(self) -> None:
        slack = self._core.settings.now.config.chat.slack
        code = people.pairing_code(self._core) if slack is not None else ""
        if slack is not None and code:
            self.lines.append(
                f"In Slack nobody may do anything yet: `{slack.command} pair {code}` there makes you the first admin "
                "(within 15 minutes)."
            )

    async def _webhooks(self) -> None:
        """The listener for the deliveries of forges, where one is configured."""
        from bot.frontends.webhooks import listener

        made = listener.configured(self._core)
        if made is not None:
            await self._begin(made)
            self._core.addresses["webhooks"] = self._core.hooks.address
            self.lines += made.lines

    async def _begin(self, front: FrontEnd) -> None:
        self._running.push_async_callback(front.stop)
        await front.start()
