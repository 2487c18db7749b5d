"""What a browser and a device see: pages, logs, and signing in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web

from bot.demo.github import pages
from bot.demo.github.device import Devices
from bot.demo.github.model import Repository
from bot.demo.github.refusals import CannotDo, Json
from bot.demo.github.world import World


@dataclass(frozen=True, slots=True)
class Site:
    """Everything that is no API. Private repositories are shown to nobody, as nobody signs in here."""

    world: World
    devices: Devices

    def routes(self, app: web.Application) -> None:
        """Add them."""
        app.router.add_get("/api/logs/{ticket}", self._log)
        app.router.add_post("/login/device/code", self._code)
        app.router.add_post("/login/oauth/access_token", self._token)
        app.router.add_get("/login/device", self._device)
        app.router.add_post("/login/device", self._decide)
        app.router.add_get("/", self._index)
        app.router.add_get("/{owner}/{repo}", self._repository)
        app.router.add_get(r"/{owner}/{repo}/{kind:issues|pull}/{number:\d+}", self._issue)
        app.router.add_get(r"/{owner}/{repo}/actions/runs/{run:\d+}/job/{job:\d+}", self._job)
        app.router.add_get(r"/{owner}/{repo}/runs/{job:\d+}", self._job)

    async def _log(self, request: web.Request) -> web.StreamResponse:
        until, log = self.world.logs.get(request.match_info["ticket"], (0.0, ""))
        if until <= self.world.now:
            return web.Response(status=404, text="The address is no longer good.\n")
        return web.Response(text=log, content_type="text/plain")

    # Signing in.

    async def _code(self, request: web.Request) -> web.StreamResponse:
        return _said(request, self.devices.code(await _given(request)))

    async def _token(self, request: web.Request) -> web.StreamResponse:
        return _said(request, self.devices.token(await _given(request)))

    async def _device(self, request: web.Request) -> web.StreamResponse:
        return _html(pages.device(self._logins(), code=request.query.get("user_code", "")))

    async def _decide(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        allow = form.get("allow") == "yes"
        try:
            self.devices.decide(str(form.get("user_code", "")), str(form.get("login", "")), allow=allow)
        except CannotDo as error:
            return _html(pages.device(self._logins(), str(error)))
        told = (
            "Congratulations, you're all set! Your device is now connected."
            if allow
            else "Nothing was connected."
        )
        return _html(pages.device(self._logins(), told))

    def _logins(self) -> list[str]:
        return [user.login for user in self.world.users.values() if user.type == "User"]

    # Pages.

    async def _index(self, _: web.Request) -> web.StreamResponse:
        return _html(pages.index(self.world))

    def _public(self, request: web.Request) -> Repository:
        full_name = f"{request.match_info['owner']}/{request.match_info['repo']}"
        found = self.world.find(full_name)
        if found is None and (moved := self.world.renamed.get(full_name.lower())):
            raise web.HTTPMovedPermanently(request.path_qs.replace(full_name, moved.full_name, 1))
        if found is None or found.private:
            raise web.HTTPNotFound
        return found

    async def _repository(self, request: web.Request) -> web.StreamResponse:
        return _html(pages.repository(self._public(request)))

    async def _issue(self, request: web.Request) -> web.StreamResponse:
        found = self._public(request).issues.get(int(request.match_info["number"]))
        if found is None:
            raise web.HTTPNotFound
        kind = "pull" if found.pull else "issues"
        if kind != request.match_info["kind"]:
            where = f"/{found.repo.full_name}/{kind}/{found.number}"
            raise web.HTTPFound(where)
        return _html(pages.issue(found))

    async def _job(self, request: web.Request) -> web.StreamResponse:
        repo = self._public(request)
        number = int(request.match_info["job"])
        found = next((run for run in repo.checks.runs if run.id == number), None)
        if found is None:
            raise web.HTTPNotFound
        return _html(pages.job(repo, found))


def _html(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/html", headers=pages.SECURITY)


async def _given(request: web.Request) -> Mapping[str, str]:
    """From query, form or JSON, as clients do it."""
    given = dict(request.query)
    if request.content_type == "application/json":
        body = json.loads(await request.text() or "{}")
        return given | {str(name): str(value) for name, value in body.items()}
    return given | {name: str(value) for name, value in (await request.post()).items()}


def _said(request: web.Request, answer: Json) -> web.Response:
    """JSON for who accepts it, else a form, as GitHub answers."""
    if "json" in request.headers.get("Accept", ""):
        return web.json_response(answer)
    return web.Response(text=urlencode(answer), content_type="application/x-www-form-urlencoded")
