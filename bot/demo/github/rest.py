"""The REST API: who calls, may they, how often, from memory; then the handler of the route."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from bot.demo.github import rest_apps, rest_checks, rest_hooks, rest_issues, rest_pulls, rest_repos
from bot.demo.github.access import Access, Who
from bot.demo.github.calls import Call, Reply, Route
from bot.demo.github.limits import Limits
from bot.demo.github.model import Repository
from bot.demo.github.refusals import Json, Refused, not_found
from bot.demo.github.webhooks import Webhooks
from bot.demo.github.world import World

TABLES = [
    rest_issues.TABLE,
    rest_pulls.TABLE,
    rest_repos.TABLE,
    rest_checks.TABLE,
    rest_hooks.TABLE,
    rest_apps.TABLE,
]
_FREE = {"/rate_limit"}


@dataclass(frozen=True, slots=True)
class Asked:
    """An HTTP request to the REST API."""

    method: str
    path: str
    """As it came, still encoded, without `/api/v3` and query."""
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Rest:
    """The API and its counters."""

    world: World
    access: Access
    limits: Limits
    webhooks: Webhooks
    calls: Counter[str] = field(default_factory=Counter)
    """Method and route's template -> number of calls; `304 METHOD template` -> of them not modified."""
    unknown: list[str] = field(default_factory=list)
    """Calls that the fake does not know; a test asserts that there are none."""
    _routes: list[tuple[re.Pattern[str], Route]] = field(init=False)

    def __post_init__(self) -> None:
        rows = [route for table in TABLES for route in table.rows]
        # What is most exact comes first: parts that are words before parts that are named.
        rows.sort(key=lambda route: (route.template.count("+}"), route.template.count("{")))
        self._routes = [(route.pattern, route) for route in rows]

    async def answer(self, asked: Asked) -> Reply:
        """Never raises for what a caller did."""
        try:
            who = self.access.of(asked.headers.get("Authorization", ""))
        except Refused as refused:
            return Reply(refused.body, refused.status, refused.headers)
        headers = self.access.headers(who) | {"X-GitHub-Media-Type": "github.v3; format=json"}
        try:
            reply = await self._answer(asked, who, headers)
        except Refused as refused:
            reply = Reply(refused.body, refused.status, refused.headers)
        reply.headers = headers | reply.headers
        return reply

    async def _answer(self, asked: Asked, who: Who, headers: dict[str, str]) -> Reply:
        route, params = self._find(asked)
        name = f"{asked.method} {route.template}"
        self.calls[name] += 1
        if asked.path not in _FREE:
            self.limits.spend(who.key, 1 if asked.method == "GET" else 5)
            bucket = self.limits.take(who.key, route.bucket)
            headers |= bucket.headers(route.bucket)
        repo, moved = self._repository(asked, params)
        if moved is not None:
            return moved
        if (who.app is not None) != route.jwt:
            raise Refused(401, "A JSON web token could not be decoded" if route.jwt else "Bad credentials")
        call = Call(
            self.world, self.access, self.limits, who, params, asked.query, _body(asked.body), asked.path,
            self.webhooks, repo,
        )  # fmt: skip
        if repo is not None and not route.jwt:
            self.access.check(who, repo, route.needs, route.role)
            if route.needs and who.token and who.token.scopes is not None:
                headers["X-Accepted-OAuth-Scopes"] = "repo"
        if route.content:
            self.limits.made_content(who.key)
        reply = await route.handler(call)
        return self._from_memory(asked, who, route, reply, headers) if asked.method == "GET" else reply

    def _find(self, asked: Asked) -> tuple[Route, dict[str, str]]:
        for pattern, route in self._routes:
            if route.method == asked.method and (found := pattern.match(asked.path)):
                return route, {name: unquote(value) for name, value in found.groupdict().items()}
        self.unknown.append(f"{asked.method} {asked.path}")
        raise Refused(501, f"The fake GitHub does not know {asked.method} {asked.path}")

    def _repository(self, asked: Asked, params: dict[str, str]) -> tuple[Repository | None, Reply | None]:
        if "repo" not in params:
            return None, None
        full_name = f"{params['owner']}/{params['repo']}"
        found = self.world.find(full_name)
        if found is not None:
            return found, None
        moved = self.world.renamed.get(full_name.lower())
        if moved is None:
            raise not_found()
        rest = "".join(f"/{part}" for part in asked.path.split("/")[4:])
        # GitHub redirects to /repositories/ID; the present name says the same and needs no second table.
        url = self.world.api(f"/repos/{moved.full_name}{rest}")
        status = 301 if asked.method == "GET" else 307
        return None, Reply({"message": "Moved Permanently", "url": url}, status, {"Location": url})

    def _from_memory(
        self, asked: Asked, who: Who, route: Route, reply: Reply, headers: dict[str, str]
    ) -> Reply:
        if reply.status != 200 or route.template in _FREE:
            return reply
        told = hashlib.sha256(json.dumps(reply.body, sort_keys=True).encode()).hexdigest()
        etag = f'W/"{told}"'
        reply.headers |= {"ETag": etag, "Cache-Control": "private, max-age=60, s-maxage=60"}
        known = {
            part.strip().removeprefix("W/") for part in asked.headers.get("If-None-Match", "").split(",")
        }
        if etag.removeprefix("W/") not in known:
            return reply
        self.calls[f"304 {asked.method} {route.template}"] += 1
        if not who.is_nobody:
            self.limits.give_back(who.key, route.bucket)
            headers |= self.limits.bucket(who.key, route.bucket).headers(route.bucket)
        return Reply(None, 304, reply.headers)


def _body(data: bytes) -> Json:
    if not data:
        return {}
    try:
        body = json.loads(data)
    except ValueError as error:
        raise Refused(400, "Problems parsing JSON") from error
    # PyGithub sends labels as a bare list, which GitHub takes.
    return body if isinstance(body, dict) else {"labels": body}
