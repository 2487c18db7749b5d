"""`python -m bot.demo.github.server`: a fake GitHub for the demo and for tests, on 127.0.0.1 alone.

Addresses are those of GitHub Enterprise: REST at `/api/v3`, GraphQL at `/api/graphql`, git at `/owner/name.git`.
It prints one line of JSON with its addresses and the control's secret when it is ready.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Self

from aiohttp import web

from bot.demo.github import pulls
from bot.demo.github.access import Access, Who
from bot.demo.github.calls import Reply
from bot.demo.github.ci import Ci
from bot.demo.github.control import Control
from bot.demo.github.control_http import ControlHttp
from bot.demo.github.device import Devices
from bot.demo.github.faults import Faults, Unreachable
from bot.demo.github.git_http import GitHttp
from bot.demo.github.graph import GraphQl, schema
from bot.demo.github.limits import Limits
from bot.demo.github.model import Repository
from bot.demo.github.rest import Asked, Rest
from bot.demo.github.site import Site
from bot.demo.github.webhooks import Webhooks
from bot.demo.github.world import Clock, World

LARGEST = 256 * 1024 * 1024
Answer = Callable[[], Awaitable[web.StreamResponse]]


class FakeGitHub:
    """The whole thing. A test may hold it in its own process: `async with FakeGitHub(folder) as github`."""

    def __init__(self, folder: Path, *, now: Callable[[], float] = time.time) -> None:
        self.port = 0
        self.world = World(folder, Clock(now))
        self.access = Access(self.world)
        self.limits = Limits(self.world.clock)
        self.webhooks = Webhooks(self.world)
        self.faults = Faults()
        self.rest = Rest(self.world, self.access, self.limits, self.webhooks)
        self.graphql = GraphQl(self.world, self.access, self.limits, self.rest.calls, self.rest.unknown)
        ci, devices = Ci(self.world), Devices(self.world, self.access)
        self.control = Control(
            self.world, self.access, self.limits, self.rest, self.webhooks, self.faults, devices
        )
        self.over_http = ControlHttp(self.control)
        self.world.listeners += [self.webhooks.tell, ci.tell]
        self.world.rerun = ci.rerun
        self._site = Site(self.world, devices)
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
        app = web.Application(client_max_size=LARGEST, middlewares=[self._only_here])
        app.router.add_route("*", "/api/v3{path:.*}", self._call)
        app.router.add_post("/api/graphql", self._query)
        app.router.add_post("/control/{name}", self._control)
        app.router.add_route("*", "/{owner}/{repo}.git/{rest:.+}", self._git_call)
        self._site.routes(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2, auto_decompress=False)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.port = int(self._runner.addresses[0][1])
        self.world.address = f"http://127.0.0.1:{self.port}"

    async def stop(self) -> None:
        """Close everything."""
        self.faults.clear()
        await self.world.close()
        await self.webhooks.close()
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _only_here(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Other names and other pages of the same browser are kept out; what goes wrong in here is kept."""
        ours = {f"127.0.0.1:{self.port}", f"localhost:{self.port}"}
        origin = request.headers.get("Origin", "")
        if request.host not in ours or (origin and origin.removeprefix("http://") not in ours):
            return web.Response(status=403, text="This fake GitHub answers to its own address only.\n")
        try:
            return await handler(request)
        except web.HTTPException:
            raise
        except Exception as error:  # noqa: BLE001 - a test asserts that there is none
            self.world.failures.append(f"{request.method} {request.path}: {error!r}")
            return web.json_response({"message": "Server Error"}, status=500)

    async def _faulty(self, request: web.Request, name: str, answer: Answer) -> web.StreamResponse:
        try:
            return await self.faults.around(name, answer, self.world.now)
        except Unreachable:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=503)

    async def _call(self, request: web.Request) -> web.StreamResponse:
        path = request.rel_url.raw_path.removeprefix("/api/v3") or "/"

        async def answer() -> web.StreamResponse:
            asked = Asked(request.method, path, dict(request.query), request.headers, await request.read())
            return _http(await self.rest.answer(asked))

        return await self._faulty(request, f"{request.method} {path}", answer)

    async def _query(self, request: web.Request) -> web.StreamResponse:
        data = await request.read()

        async def answer() -> web.StreamResponse:
            return _http(await self.graphql.answer(request.headers, data))

        return await self._faulty(request, f"GRAPHQL {data.decode(errors='replace')}", answer)

    async def _git_call(self, request: web.Request) -> web.StreamResponse:
        self.rest.calls[f"GIT {request.query.get('service') or request.match_info['rest']}"] += 1
        return await self._faulty(request, f"GIT {request.path_qs}", lambda: self._git.serve(request))

    async def _control(self, request: web.Request) -> web.StreamResponse:
        secret = request.headers.get("Authorization", "")
        return _http(await self.over_http.answer(request.match_info["name"], secret, await request.read()))

    async def _pushed(self, repo: Repository, who: Who) -> None:
        await pulls.after_push(self.world, repo, who.user or repo.owner)


def _http(reply: Reply) -> web.Response:
    if reply.body is None:
        return web.Response(status=reply.status, headers=reply.headers)
    return web.json_response(reply.body, status=reply.status, headers=reply.headers)


async def _serve(options: argparse.Namespace, folder: Path) -> None:
    github = FakeGitHub(folder)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    await github.start(options.port)
    if options.with_parent:
        threading.Thread(target=_end_with_parent, args=(loop, stop), daemon=True).start()
    print(json.dumps({
        "port": github.port, "api": github.api_url, "graphql": github.graphql_url, "page": github.world.page("/"),
        "control": github.world.page("/control/"), "secret": github.over_http.secret,
    }), flush=True)  # fmt: skip
    try:
        await stop.wait()
    finally:
        await github.stop()


def _end_with_parent(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Wait until nobody can write to our stdin any more, which is when the parent is gone."""
    # Not through sys.stdin: Python takes its lock when it ends, and a thread that waits in it holds that.
    while os.read(0, 4096):
        pass
    loop.call_soon_threadsafe(stop.set)


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until killed, or until the parent ends."""
    parser = argparse.ArgumentParser(description="A fake GitHub on this machine, for the demo and for tests.")
    parser.add_argument("--port", type=int, default=0, help="0 (default): a free one")
    parser.add_argument("--folder", type=Path, help="where repositories lie (default: a temporary folder)")
    parser.add_argument("--with-parent", action="store_true", help="end when stdin is closed")
    options = parser.parse_args(argv)
    try:
        with tempfile.TemporaryDirectory(prefix="ao-github-") as temporary:
            asyncio.run(_serve(options, options.folder or Path(temporary)))
    except OSError as error:
        print(f"The fake GitHub did not start: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
