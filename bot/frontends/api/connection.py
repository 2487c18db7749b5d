"""One connection: on the unix socket refused unless it is of our own user; over TCP cut off when it is slow."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import uvicorn
from starlette.types import ASGIApp
from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from bot.frontends.api import peer
from orchestrator.errors import Conflict, NotReady

HEAD_WITHIN = 10.0
"""Seconds in which the head of a connection's next request must have come."""
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


class TcpProtocol(H11Protocol):
    """HTTP from whoever can reach the port: a connection that asks nothing is not kept."""

    head_within: ClassVar[float] = HEAD_WITHIN
    _deadline: asyncio.TimerHandle | None = None

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_for_head()

    @override
    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._wait_for_head()

    def _wait_for_head(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(self.head_within, self._asked_nothing, self.cycle)

    def _asked_nothing(self, before: RequestResponseCycle | None) -> None:
        """The head of the next request has not come; uvicorn's own limit ends with its first byte."""
        idle = before is None or before.response_complete
        if idle and self.cycle is before:
            self.transport.abort()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)


class QuietServer(uvicorn.Server):
    """A server inside a loop of ours: no signal handlers, and nothing that wakes it while idle."""

    def __init__(self, app: ASGIApp, protocol: type[H11Protocol] = PeerProtocol) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=protocol,
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
        self._up = asyncio.Event()
        self._leave = asyncio.Event()

    async def until_up(self, serving: asyncio.Task[None]) -> None:
        """Return once the task that serves takes connections. Raises what keeps it from that."""
        up = asyncio.create_task(self._up.wait())
        await asyncio.wait({up, serving}, return_when=asyncio.FIRST_COMPLETED)
        up.cancel()
        if serving.done():
            serving.result()

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
        self._up.set()

    @override
    async def main_loop(self) -> None:
        await self._leave.wait()


def listen_tcp(host: str, port: int, *, or_free: bool) -> socket.socket:
    """A listening socket at an address; `or_free`: at a free port where that one is taken. Raises `OSError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        # A port whose last connections are only fading is free.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind((host, port))
            made.listen(_BACKLOG)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or not or_free:
                raise
            made.bind((host, 0))
            made.listen(_BACKLOG)
        made.setblocking(False)  # noqa: FBT003 - the standard library's own form
    except OSError:
        made.close()
        raise
    return made


def cannot_listen(host: str, port: int, error: OSError, key: str) -> Conflict | NotReady:
    """The error for an address that `listen_tcp` could not have; `key` of the configuration chooses another."""
    where = f"{host}:{port}"
    if error.errno == errno.EADDRINUSE:
        msg = f"{where} is taken by another program."
        return Conflict(msg, next_step=f"Set `{key}` to another port, or to off.")
    msg = f"nobody can listen on {where} here: {error.strerror or error}."
    return NotReady(msg, next_step=f"Set `{key}` to an address of this machine, or to off.")


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
