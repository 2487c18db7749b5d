"""One connection to the socket: refused unless it is of our own user, and it knows its process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp
from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol

from bot.frontends.api import peer

_BACKLOG = 128
_GRACE = 3
"""Seconds that answers under way get when the server stops."""
_MOST = 256
"""Connections at once; more are told to come again."""


class PeerProtocol(H11Protocol):
    """HTTP with the peer's process id where others have a port (`scope["client"][1]`)."""

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        try:
            found = peer.of(transport.get_extra_info("socket"))
        except OSError:
            transport.abort()
            return
        if found.uid != os.getuid():
            transport.abort()
            return
        self.client = ("unix", found.pid)


class QuietServer(uvicorn.Server):
    """A server inside a loop of ours: no signal handlers, and nothing that wakes it while idle."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=PeerProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                proxy_headers=False,
                limit_concurrency=_MOST,
                timeout_graceful_shutdown=_GRACE,
            )
        )
        self.up = asyncio.Event()
        self._leave = asyncio.Event()

    def leave(self) -> None:
        """Stop serving; `serve` returns soon."""
        self._leave.set()

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the whole program's matter."""
        yield

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    @override
    async def main_loop(self) -> None:
        await self._leave.wait()


def listen(path: Path) -> socket.socket:
    """A listening socket at `path`, for our own user alone. Whoever calls holds the home's lock.

    What a killed server left there is replaced. Raises `OSError`.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.bind(str(path))
        path.chmod(0o600)
        made.listen(_BACKLOG)
        made.setblocking(False)  # noqa: FBT003 - the standard library's own form
    except OSError:
        made.close()
        raise
    return made
