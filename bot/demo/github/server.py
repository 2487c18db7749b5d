"""`python -m bot.demo.github.server`: a fake GitHub for the demo and for tests, on 127.0.0.1 alone.

Addresses are those of GitHub Enterprise: REST at `/api/v3`, GraphQL at `/api/graphql`, git at `/owner/name.git`.
It prints one line of JSON with its addresses when it is ready.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self
from urllib.parse import unquote

from aiohttp import web

from bot.demo.github import pulls
from bot.demo.github.access import Access, Who
from bot.demo.github.calls import Reply
from bot.demo.github.control import Control
from bot.demo.github.git_http import GitHttp
from bot.demo.github.graph import GraphQl, schema
from bot.demo.github.limits import Limits
from bot.demo.github.model import Repository
from bot.demo.github.rest import Asked, Rest
from bot.demo.github.world import Clock, World

LARGEST = 256 * 1024 * 1024


class FakeGitHub:
    """The whole thing. A test may hold it in its own process: `async with FakeGitHub(folder) as github`."""

    def __init__(self, folder: Path, *, now: Callable[[], float] = time.time) -> None:
        self.port = 0
        self.world = World(folder, Clock(now))
        self.access = Access(self.world)
        self.limits = Limits(self.world.clock)
        self.rest = Rest(self.world, self.access, self.limits)
        self.graphql = GraphQl(self.world, self.access, self.limits, self.rest.calls, self.rest.unknown)
        self.control = Control(self.world, self.access, self.limits, self.rest)
        self._git = GitHttp(self.world, self.access, self._pushed)
        self._runner: web.AppRunner | None = None

    @property
    def api_url(self) -> str:
        """REST; what `apiUrl` is set to."""
        return f"{self.world.address}/api/v3"

    @property
    def graphql_url(self) -> str:
        """GraphQL."""
        return f"{self.world.address}/api/graphql"

    def git_url(self, repo: str) -> str:
        """Where `owner/name` is cloned from."""
        return f"{self.world.address}/{repo}.git"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self, port: int = 0) -> None:
        """Listen. Raises `OSError` when the port is taken."""
        await asyncio.to_thread(schema)  # read and built before the first query
        app = web.Application(client_max_size=LARGEST)
        app.router.add_route("*", "/api/v3{path:.*}", self._call)
        app.router.add_post("/api/graphql", self._graphql)
        app.router.add_get("/api/logs/{ticket}", self._log)
        app.router.add_route("*", "/{owner}/{repo}.git/{rest:.+}", self._git.serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2, auto_decompress=False)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.port = int(self._runner.addresses[0][1])
        self.world.address = f"http://127.0.0.1:{self.port}"

    async def stop(self) -> None:
        """Close everything."""
        await self.world.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _call(self, request: web.Request) -> web.StreamResponse:
        path = unquote(request.match_info["path"]) or "/"
        asked = Asked(request.method, path, dict(request.query), request.headers, await request.read())
        return _http(await self.rest.answer(asked))

    async def _graphql(self, request: web.Request) -> web.StreamResponse:
        return _http(await self.graphql.answer(request.headers, await request.read()))

    async def _log(self, request: web.Request) -> web.StreamResponse:
        until, log = self.world.logs.get(request.match_info["ticket"], (0.0, ""))
        if until <= self.world.now:
            return web.Response(status=404, text="The address is no longer good.\n")
        return web.Response(text=log, content_type="text/plain")

    async def _pushed(self, repo: Repository, who: Who) -> None:
        await pulls.after_push(self.world, repo, who.user or repo.owner)


def _http(reply: Reply) -> web.Response:
    if reply.body is None:
        return web.Response(status=reply.status, headers=reply.headers)
    return web.json_response(reply.body, status=reply.status, headers=reply.headers)
