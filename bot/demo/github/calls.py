"""One REST call: what a handler gets, what it gives, and the table of routes."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from bot.demo.github.access import Access, Need, Who
from bot.demo.github.limits import Limits
from bot.demo.github.model import Repository, User
from bot.demo.github.refusals import Json, Refused, invalid, not_found
from bot.demo.github.webhooks import Webhooks
from bot.demo.github.world import World

MAX_PAGE = 100


@dataclass(slots=True)
class Reply:
    """An answer."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Call:
    """A call by somebody, to a repository where the route names one."""

    world: World
    access: Access
    limits: Limits
    who: Who
    params: dict[str, str]
    query: dict[str, str]
    body: Json
    path: str
    """Without `/api/v3`."""
    webhooks: Webhooks
    given_repo: Repository | None = None

    @property
    def repo(self) -> Repository:
        """Of a route that names one."""
        if self.given_repo is None:
            raise not_found()
        return self.given_repo

    @property
    def user(self) -> User:
        """Who acts. Raises `Refused` for nobody."""
        if self.who.user is None:
            raise Refused(401, "Requires authentication")
        return self.who.user

    def number(self, name: str = "number") -> int:
        """A number of the path. Raises `Refused`."""
        if not self.params[name].isdigit():
            raise not_found()
        return int(self.params[name])

    def text(self, name: str, resource: str) -> str:
        """A text of the body that must be there."""
        value = self.body.get(name)
        if not isinstance(value, str) or not value.strip():
            raise invalid(resource, name, "missing_field")
        return value

    def page(self, rows: Sequence[Any], shape: Callable[[Any], Any], wrap: str = "") -> Reply:
        """One page of them, with GitHub's Link header."""
        size = min(MAX_PAGE, max(1, _whole(self.query.get("per_page"), 30)))
        number = max(1, _whole(self.query.get("page"), 1))
        last = max(1, -(-len(rows) // size))
        shown = [shape(row) for row in rows[(number - 1) * size : number * size]]
        links = {"prev": number - 1, "next": number + 1, "last": last, "first": 1}
        if number <= 1:
            links = {"next": number + 1, "last": last}
        if number >= last:
            links = {name: page for name, page in links.items() if name in {"prev", "first"}}
        parts = [f'<{self._at(page)}>; rel="{name}"' for name, page in links.items()]
        headers = {"Link": ", ".join(parts)} if parts and last > 1 else {}
        return Reply({"total_count": len(rows), wrap: shown} if wrap else shown, headers=headers)

    def _at(self, page: int) -> str:
        return self.world.api(f"{self.path}?{urlencode({**self.query, 'page': page})}")


def _whole(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdigit() else otherwise


Handler = Callable[[Call], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Route:
    """A line of the table. `needs`: any one of these permissions; `role`: what the person must be."""

    method: str
    template: str
    handler: Handler
    needs: tuple[Need, ...] = ()
    role: str = "read"
    content: bool = False
    """Whether it makes content, which secondary limits count."""
    bucket: str = "core"
    jwt: bool = False
    """Whether an App calls it with its JWT."""

    @property
    def pattern(self) -> re.Pattern[str]:
        """`{name}` is one part of the path, `{name+}` all that is left."""
        text = re.escape(self.template).replace(r"\{", "{").replace(r"\}", "}").replace(r"\+", "+")
        text = re.sub(r"\{(\w+)\+\}", r"(?P<\1>.+)", text)
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", text) + r"\Z")


@dataclass(slots=True)
class Table:
    """Routes, collected by decorators."""

    rows: list[Route] = field(default_factory=list)

    def on(
        self, method: str, template: str, *needs: Need, role: str = "read", content: bool = False, **more: Any,  # noqa: ANN401 - fields of a route
    ) -> Callable[[Handler], Handler]:  # fmt: skip
        """Decorate a handler. `more`: bucket, jwt."""

        def add(handler: Handler) -> Handler:
            self.rows.append(Route(method, template, handler, needs, role, content, **more))
            return handler

        return add
