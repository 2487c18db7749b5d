"""The API on its unix socket, inside the loop of `ao start`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from bot.actions.runner import Actions
from bot.chat.desk import Desk
from bot.frontends.api.connection import QuietServer, listen
from bot.frontends.api.door import PeerDoor
from bot.frontends.api.routes import Api
from orchestrator.domain.event import LoggedEvent
from orchestrator.services import events, terminals

if TYPE_CHECKING:
    from orchestrator.services.core import Core


class ApiServer:
    """Serves actions, sessions and events. Made by `bot.app`, which holds the home's lock."""

    def __init__(self, core: Core, actions: Actions, socket_path: Path, desk: Desk | None = None) -> None:
        """Without a `desk` it has one of its own; whoever gives one opens and closes it."""
        self._core = core
        self._actions = actions
        self._path = socket_path
        self._own_desk = desk is None
        self._desk = desk or Desk(actions, core.store.requests, core.clock.now)
        self._api: Api | None = None
        self._threads: ThreadPoolExecutor | None = None
        self._server: QuietServer | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen. What a crash cut off is answered first. Raises `OSError`."""
        if self._own_desk:
            await self._desk.open()
        loop = asyncio.get_running_loop()
        threads = self._threads = ThreadPoolExecutor(1, "ao-api")
        listening = await loop.run_in_executor(threads, listen, self._path)
        self._api = Api(
            desk=self._desk,
            actions=self._actions,
            log=Log(self._core),
            door=PeerDoor(threads=threads),
            version=await loop.run_in_executor(threads, version, "agent-orchestrator"),
            started_at=self._core.clock.now(),
            ending=lambda: [s.id for s in terminals.ending_with_us(self._core)],
        )
        self._server = QuietServer(self._api.app())
        self._serving = asyncio.create_task(self._server.serve(sockets=[listening]), name="api")
        await self._server.until_up(self._serving)

    async def stop(self) -> None:
        """Stop listening, end the streams, give what runs a moment. Repeatable, also before `start`."""
        api, server, serving = self._api, self._server, self._serving
        self._api = self._server = self._serving = None
        if api is None or server is None or serving is None:
            return
        api.stopping.set()
        server.leave()
        await serving
        if self._own_desk:
            await self._desk.close()
        if self._threads is not None:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._away)
            self._threads.shutdown(wait=False)

    def _away(self) -> None:
        self._path.unlink(missing_ok=True)


class Log:
    """The event log, as the API reads it."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @property
    def last_seq(self) -> int:
        """The newest event's number."""
        return self._core.store.log.last_seq

    async def read(self, after: int, limit: int) -> list[LoggedEvent]:
        """Events after a number."""
        return await events.read(self._core, after, limit)

    def follow(self, after: int) -> AsyncIterator[LoggedEvent]:
        """Those, and then each new one."""
        return events.follow(self._core, after)
