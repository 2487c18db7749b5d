"""Stands before the fake GitHub and lets calls go wrong as the network and GitHub's own machines do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import aiohttp
from aiohttp import web

_HOP = {"connection", "content-encoding", "content-length", "host", "keep-alive", "transfer-encoding"}


@dataclass(slots=True)
class Fault:
    """What the next calls get instead of an answer."""

    status: int
    body: str
    kind: str
    part: str
    times: int


@dataclass(slots=True)
class Front:
    """`async with Front(behind) as front:` serves at `front.url` what is at `behind`, an address with a port."""

    behind: str
    url: str = ""
    calls: list[str] = field(default_factory=list)
    """Method and path of every call, with its query."""
    _faults: list[Fault] = field(default_factory=list)
    _runner: web.AppRunner | None = None
    _client: aiohttp.ClientSession | None = None

    def fail(
        self, status: int, *, part: str = "", times: int = 1, body: str = "{}", kind: str = "application/json"
    ) -> None:
        """The next calls whose address holds `part` are answered so."""
        self._faults.append(Fault(status, body, kind, part, times))

    def html(self, status: int = 200, *, part: str = "", times: int = 1) -> None:
        """A web page instead of data: GitHub's unicorn, a hotel's login."""
        self.fail(status, part=part, times=times, body="<html>Unicorn!</html>", kind="text/html")

    async def __aenter__(self) -> Self:
        self._client = aiohttp.ClientSession(auto_decompress=False)
        app = web.Application(client_max_size=1 << 24)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._client is not None:
            await self._client.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        self.calls.append(f"{request.method} {request.raw_path}")
        for fault in self._faults:
            if fault.times > 0 and fault.part in request.raw_path:
                fault.times -= 1
                return web.Response(status=fault.status, text=fault.body, content_type=fault.kind)
        assert self._client is not None
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        async with self._client.request(
            request.method,
            f"{self.behind}{request.raw_path}",
            headers=headers,
            data=await request.read(),
            allow_redirects=False,
        ) as said:
            kept = {name: value for name, value in said.headers.items() if name.lower() not in _HOP}
            return web.Response(status=said.status, headers=kept, body=await said.read())
