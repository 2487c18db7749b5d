"""`python -m bot.demo.slack_server`: a fake Slack for the demo and for tests, on 127.0.0.1 alone.

It has a workspace, the Web API, Socket Mode, a browser view at `/`, and `/control/…` by which a test acts as a
person or breaks something. It prints one line of JSON with its addresses when it is ready.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

from aiohttp import web

from bot.demo.slack_callbacks import Responses, Triggers
from bot.demo.slack_control import Control
from bot.demo.slack_faults import Faults, Unreachable
from bot.demo.slack_methods import WebApi
from bot.demo.slack_page import SECURITY, Page
from bot.demo.slack_people import People
from bot.demo.slack_refusals import Code, Json, Refused
from bot.demo.slack_socket import SocketMode, Times
from bot.demo.slack_views import CannotDo, Views
from bot.demo.slack_workspace import Clock, Workspace

_AS_JSON = {
    "blocks": "invalid_blocks_format",
    "metadata": "invalid_metadata_format",
    "attachments": "invalid_attachments",
    "view": "invalid_arguments",
    "files": "invalid_arguments",
}
_HOSTS = ("127.0.0.1", "localhost")
_NEVER_LOGGED = {"token", "team_id"}


class _Log:
    """Every call and envelope, in memory and as a line of JSON in a file that others may read meanwhile."""

    def __init__(self, file: TextIO | None) -> None:
        self.lines: list[Json] = []
        self._file = file
        self._lock = asyncio.Lock()

    async def note(self, **fields: object) -> None:
        """Add a line."""
        line = {"time": round(time.time(), 3), **fields}
        self.lines.append(line)
        if self._file is not None:
            async with self._lock:
                await asyncio.to_thread(self._write, f"{json.dumps(line)}\n")

    def _write(self, line: str) -> None:
        if self._file is not None:
            self._file.write(line)
            self._file.flush()


class FakeSlack:
    """The whole thing: made, started, stopped. A test may hold it in its own process."""

    def __init__(
        self, *, times: Times | None = None, log: TextIO | None = None, now: Callable[[], float] = time.time
    ) -> None:
        self.port = 0
        self._log = _Log(log)
        self.workspace = Workspace(Clock(now))
        self.faults = Faults(self.workspace.clock)
        self.socket = SocketMode(times or Times(), self._log.note)
        self.workspace.tell_app = self.socket.tell
        triggers = Triggers(self.workspace.clock.now)
        self.responses = Responses(self.workspace)
        self.views = Views(self.workspace, triggers)
        self.people = People(self.workspace, self.socket, triggers, self.responses, self.views)
        self.people.response_url = lambda token: self.address(f"response/{token}")
        self.control = Control(self.people, self.responses, self.faults, self.socket, self._log.lines)
        self._api = WebApi(self.workspace, self.views, triggers, self.address, self._socket_url)
        self._page = Page(self.workspace, self.views, self.socket)
        self._runner: web.AppRunner | None = None

    def address(self, path: str = "") -> str:
        """Where something is, for clients."""
        return f"http://127.0.0.1:{self.port}/{path}"

    def _socket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/link?ticket={self.socket.ticket()}"

    async def start(self, port: int = 0) -> None:
        """Listen. Raises `OSError` when the port is taken."""
        app = web.Application(middlewares=[self._only_from_here], client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/api/{method}", self._call)
        app.router.add_post("/response/{token}", self._respond)
        app.router.add_post("/upload/{file}/{secret}", self._upload)
        app.router.add_get("/link", self._link)
        app.router.add_post("/control/{what}", self._control)
        app.router.add_get("/", self._show)
        app.router.add_get("/view", self._show_part)
        app.router.add_get("/{name:slack\\.(?:js|css)}", self._asset)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Close everything."""
        await self.socket.close()
        if self._runner is not None:
            await self._runner.cleanup()

    # The app's side.

    async def _call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        given: Json = {}
        try:
            given = await _arguments(request)
            noted = {name: value for name, value in given.items() if name not in _NEVER_LOGGED}
            token = given.pop("token", "") or request.headers.get("Authorization", "").removeprefix("Bearer ")
            self.faults.before(method, str(given.get("channel", "")))
            given.pop("team_id", None)  # Bolt adds it to every call
            answer = {"ok": True, **self._api.call(method, token, given)}
            told = {"channel": answer.get("channel"), "ts": answer.get("ts")}
            await self._log.note(kind="call", method=method, args=noted, ok=True, **told)
            self.faults.after(method)
            return web.json_response(answer)
        except Refused as refused:
            noted = {name: value for name, value in given.items() if name not in _NEVER_LOGGED}
            await self._log.note(kind="call", method=method, args=noted, ok=False, error=refused.code)
            return web.json_response(refused.body, status=refused.status, headers=refused.headers)
        except Unreachable:
            await self._log.note(kind="call", method=method, ok=False, error="no answer")
            return _hang_up(request)

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        if self.faults.is_down:
            return _hang_up(request)
        try:
            body = json.loads(await request.text())
            self.responses.post(request.match_info["token"], body)
        except Refused as refused:
            await self._log.note(kind="response", ok=False, error=refused.code)
            status = 400 if refused.status == 200 else refused.status  # unlike the Web API
            return web.json_response(refused.body, status=status)
        except ValueError:
            return web.json_response({"ok": False, "error": "invalid_payload"}, status=400)
        await self._log.note(kind="response", ok=True, body=body)
        return web.Response(text="ok")

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        if self.faults.is_down:
            return _hang_up(request)
        content = await request.read()
        if request.content_type == "multipart/form-data":
            part = (await request.post()).get("file")
            content = part.file.read() if isinstance(part, web.FileField) else b""
        try:
            self._api.uploaded(request.match_info["file"], request.match_info["secret"], content)
        except Refused as refused:
            return web.json_response(refused.body, status=refused.status)
        return web.Response(text=f"OK - {len(content)}")

    async def _link(self, request: web.Request) -> web.StreamResponse:
        return _hang_up(request) if self.faults.is_down else await self.socket.serve(request)

    # The people's side.

    @web.middleware
    async def _only_from_here(
        self, request: web.Request, handler: Callable[[web.Request], object]
    ) -> web.StreamResponse:
        """Other pages of the same browser are kept out."""
        ours = {f"{host}:{self.port}" for host in _HOSTS}
        origin = request.headers.get("Origin", "")
        if request.host not in ours or (origin and origin.removeprefix("http://") not in ours):
            raise web.HTTPForbidden(text="This fake Slack answers to its own address only.")
        response = await handler(request)  # type: ignore[misc] # aiohttp does not type its handlers
        assert isinstance(response, web.StreamResponse)  # noqa: S101 - all handlers are ours
        return response

    async def _control(self, request: web.Request) -> web.StreamResponse:
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType
        try:
            body = json.loads(await request.text() or "{}")
            return web.json_response(await self.control.do(request.match_info["what"], body))
        except CannotDo as error:
            return web.json_response({"error": str(error)}, status=409)
        except TimeoutError:
            return web.json_response({"error": "It did not come in time."}, status=409)

    async def _show(self, request: web.Request) -> web.StreamResponse:
        text = self._page.whole(dict(request.query))
        return web.Response(text=text, content_type="text/html", headers=SECURITY)

    async def _show_part(self, request: web.Request) -> web.StreamResponse:
        after = int(request.query.get("after", "-1"))
        await self.control.do("state", {"after": after, "wait": 20.0})
        return web.json_response(self._page.parts(dict(request.query)), headers=SECURITY)

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        kind = "text/javascript" if name.endswith("js") else "text/css"
        return web.Response(text=self._page.asset(name), content_type=kind, headers=SECURITY)


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)


async def _arguments(request: web.Request) -> Json:
    """Clients put arguments into the query, a form or JSON, some into two of them. Raises `Refused`."""
    given: Json = dict(request.query)
    if request.content_type == "application/json":
        try:
            body = json.loads(await request.text() or "{}")
        except ValueError as error:
            raise Refused(Code.INVALID_JSON) from error
        if not isinstance(body, dict):
            raise Refused(Code.JSON_NOT_OBJECT)
        given |= {name: value for name, value in body.items() if value is not None}
    else:
        given |= dict(await request.post())
    for name, code in _AS_JSON.items():
        if isinstance(given.get(name), str):
            try:
                given[name] = json.loads(given[name])
            except ValueError as error:
                raise Refused(code, f"{name} is no JSON") from error
    return given


async def _serve(options: argparse.Namespace, log: TextIO | None) -> None:
    times = Times(ack=options.ack_timeout).scaled(options.time_scale)
    slack = FakeSlack(times=times, log=log)
    slack.faults.pacing = options.pacing
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    await slack.start(options.port)
    if options.with_parent:
        threading.Thread(target=_end_with_parent, args=(loop, stop), daemon=True).start()
    addresses = {"api": slack.address("api/"), "page": slack.address(), "control": slack.address("control/")}
    print(json.dumps({"port": slack.port, **addresses}), flush=True)
    try:
        await stop.wait()
    finally:
        await slack.stop()


def _end_with_parent(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Wait until nobody can write to our stdin any more, which is when the parent is gone."""
    # Not through sys.stdin: Python takes its lock when it ends, and a thread that waits in it holds that.
    while os.read(0, 4096):
        pass
    loop.call_soon_threadsafe(stop.set)


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until killed, or until the parent ends."""
    parser = argparse.ArgumentParser(description="A fake Slack on this machine, for the demo and for tests.")
    parser.add_argument("--port", type=int, default=0, help="0 (default): a free one")
    parser.add_argument("--log", type=Path, help="add a line of JSON for each call and envelope to this file")
    parser.add_argument("--with-parent", action="store_true", help="end when stdin is closed")
    parser.add_argument(
        "--pacing", action="store_true", help="refuse calls that come too fast, as Slack does"
    )
    parser.add_argument("--ack-timeout", type=float, default=3.0, help="seconds to acknowledge (default: 3)")
    parser.add_argument("--time-scale", type=float, default=1.0, help="factor for the pauses before a retry")
    options = parser.parse_args(argv)
    try:
        if options.log is None:
            asyncio.run(_serve(options, None))
        else:
            with options.log.open("a", encoding="utf-8") as log:
                asyncio.run(_serve(options, log))
    except OSError as error:
        print(f"The fake Slack did not start: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
