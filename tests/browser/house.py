"""A console over a fleet on fakes, served on a loopback port in the test's own loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette
from typing_extensions import override

from bot.actions.runner import Actions
from bot.chat.desk import Desk
from bot.frontends.api.guard import Guard
from bot.frontends.dispatch import Dispatch
from bot.frontends.web.site import Site
from bot.frontends.web.wiring import open_site
from orchestrator.clock import SystemClock
from orchestrator.domain.listener import Listener
from orchestrator.domain.person import OWNER
from orchestrator.testing.ring import Ring


class Server(uvicorn.Server):
    """Says when it is up; leaves signals to the test's runner."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


@dataclass(kw_only=True)
class House:
    """A running console."""

    ring: Ring
    site: Site
    desk: Desk
    server: Server
    serving: asyncio.Task[None]
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def link(self) -> str:
        return self.ring.core.door.link(OWNER, SystemClock().now())

    def cut(self) -> None:
        """End every stream, as a proxy or a train's tunnel does; the next ones go on."""
        self.site.stopping.set()
        self.site.stopping = asyncio.Event()

    async def close(self) -> None:
        await self.site.stop()
        self.server.should_exit = True
        await self.serving
        await self.desk.close()


async def open_console(ring: Ring, port: int = 0) -> House:
    core = ring.core
    listening = socket.create_server(("127.0.0.1", port))
    port = listening.getsockname()[1]
    core.door.address = f"http://127.0.0.1:{port}"
    actions = Actions(core, clock=core.clock)
    desk = Desk(actions, core.store.requests, core.clock.now)
    await desk.open()
    site = await open_site(core, Dispatch(core, actions, desk), desk, actions.access, SystemClock())
    server = Server(
        uvicorn.Config(
            Guard(Starlette(routes=site.routes()), Listener(port=port)),
            lifespan="off",
            log_config=None,
            access_log=False,
            ws="none",
            timeout_graceful_shutdown=1,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    await server.up.wait()
    return House(ring=ring, site=site, desk=desk, server=server, serving=serving, port=port)
