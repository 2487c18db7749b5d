"""The TCP listener: the API for holders of a token, health and metrics, and whatever pages are mounted here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import metadata
from typing import TYPE_CHECKING

from starlette.routing import BaseRoute

from bot.actions.runner import Actions
from bot.chat.desk import Desk
from bot.frontends.api.connection import QuietServer, TcpProtocol, cannot_listen, listen_tcp
from bot.frontends.api.door import TokenDoor
from bot.frontends.api.guard import Guard
from bot.frontends.api.routes import Api
from bot.frontends.api.server import Log
from bot.frontends.api.state import State
from bot.frontends.chat import Figures
from orchestrator.domain.listener import Listener
from orchestrator.services import tokens

if TYPE_CHECKING:
    from orchestrator.lifecycle.announcer import Announcer
    from orchestrator.lifecycle.pulse import Pulse
    from orchestrator.services.core import Core
    from orchestrator.settings.effective import Settings

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class HttpServer:
    """Serves on TCP. Made by `bot.app`; `desk` is opened and closed by whoever gave it.

    `pages` are routes and mounts beside the API (the web console's). They stand behind the same guard:
    Host and Origin are checked, bodies bounded, security headers set unless a page sets its own
    (`Content-Security-Policy`). Who asks they find out for themselves; an `AoError` is answered as JSON.
    """

    core: Core
    actions: Actions
    desk: Desk
    listener: Listener
    pulse: Pulse
    announcer: Announcer | None = None
    pages: Sequence[BaseRoute] = ()
    protocol: type[TcpProtocol] = TcpProtocol
    figures: Callable[[], Sequence[Figures]] = tuple
    """Chat surfaces in numbers."""
    port: int = field(init=False, default=0)
    """Where it listens, once it does; 0 before."""
    stopping: asyncio.Event = field(init=False, default_factory=asyncio.Event)
    """Set when streams must end: also those of pages."""
    _server: QuietServer | None = field(init=False, default=None)
    _serving: asyncio.Task[None] | None = field(init=False, default=None)
    _threads: ThreadPoolExecutor | None = field(init=False, default=None)

    @property
    def address(self) -> str:
        """Where this machine reaches it: `http://127.0.0.1:8410`."""
        host = self.listener.host
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - what is bound to all
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def url(self) -> str:
        """How people reach it: `console.publicUrl`, else `address`."""
        return self.listener.public_url or self.address

    @property
    def moved(self) -> bool:
        """Whether the usual port was taken and another one is used."""
        return bool(self.listener.port) and self.port not in {0, self.listener.port}

    @property
    def where(self) -> str:
        """How people reach it, in words."""
        return f"{self.url}{' (the usual port is taken; `console.listen` chooses one)' if self.moved else ''}"

    @property
    def lines(self) -> list[str]:
        """What whoever starts it should know, a line each."""
        return [f"API for programs and colleagues: {self.where}; `ao token add` makes a token."]

    async def start(self) -> None:
        """Listen. Raises `Conflict` where a chosen port is taken, `NotReady` where the address cannot be had."""
        given = self.listener
        threads = self._threads = ThreadPoolExecutor(1, "ao-http")
        loop = asyncio.get_running_loop()
        try:
            listening = listen_tcp(given.host, given.port, or_free=not given.chosen)
        except OSError as error:
            threads.shutdown(wait=False)
            raise cannot_listen(given.host, given.port, error, "console.listen") from error
        self.port = int(listening.getsockname()[1])
        told = await loop.run_in_executor(threads, metadata.version, "agent-orchestrator")
        self._server = QuietServer(self._app(told, threads), self.protocol)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listening]), name="http")
        await self._server.until_up(self._serving)

    def _app(self, version: str, threads: ThreadPoolExecutor) -> Guard:
        door = TokenDoor(use=lambda secret: tokens.use(self.core, secret))
        api = Api(
            desk=self.desk,
            actions=self.actions,
            log=Log(self.core),
            door=door,
            version=version,
            started_at=self.core.clock.now(),
            stopping=self.stopping,
        )
        state = State(
            core=self.core,
            pulse=self.pulse,
            desk=self.desk,
            door=door,
            version=version,
            loopback=self.listener.loopback,
            threads=threads,
            announcer=self.announcer,
            figures=self.figures,
        )
        return Guard(api.app([*state.routes(), *self.pages]), self.listener)

    async def stop(self) -> None:
        """Stop listening and end the streams. Repeatable, also before `start`."""
        server, serving = self._server, self._serving
        self._server = self._serving = None
        if server is None or serving is None:
            return
        self.stopping.set()
        server.leave()
        await serving
        if self._threads is not None:
            self._threads.shutdown(wait=False)


def configured(
    core: Core,
    actions: Actions,
    desk: Desk,
    pulse: Pulse,
    announcer: Announcer | None = None,
    pages: Sequence[BaseRoute] = (),
) -> HttpServer | None:
    """The server that the configuration asks for; None where `console.listen` is off."""
    listener = core.settings.now.listener

    def changed(now: Settings) -> None:
        if now.listener != listener:
            log.warning(
                "where the browser's side listens has changed: that counts from the next `ao start` on"
            )

    core.settings.on_change(changed)
    if listener is None:
        return None
    return HttpServer(
        core=core,
        actions=actions,
        desk=desk,
        listener=listener,
        pulse=pulse,
        announcer=announcer,
        pages=pages,
    )
