"""A house behind the TCP listener, with a page beside the API."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import cast

from starlette.requests import Request as HttpRequest
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from bot.actions.runner import Actions
from bot.chat.desk import Desk
from bot.frontends.api.connection import TcpProtocol
from bot.frontends.api.http_server import HttpServer
from orchestrator.domain.listener import Listener
from orchestrator.domain.person import OWNER
from orchestrator.domain.rights import People, Person, Role
from orchestrator.domain.token import digest_of
from orchestrator.lifecycle.pulse import Pulse
from orchestrator.services import tokens
from orchestrator.storage.kept_people import KeptPeople
from tests.unit.bot.house import House

HERE = Listener(port=0)
PEOPLE = People(
    (
        Person(handle="root", roles={"*": Role.ADMIN}, owner=True),
        Person(handle="ada", roles={"*": Role.OPERATOR}),
        Person(handle="eve", roles={"*": Role.VIEWER}),
        Person(handle="cy", roles={"demo": Role.VIEWER}),
    )
)


async def page(http: HttpRequest) -> Response:
    return PlainTextResponse(f"page for {http.client.host if http.client else ''} by {http.url.scheme}")


PAGES = [Mount("/console", routes=[Route("/", page, methods=["GET", "POST"])])]


class Impatient(TcpProtocol):
    head_within = 0.05


class Known:
    """People who are kept, as the settings ask for them."""

    def __init__(self) -> None:
        self.people = People()
        self.listeners: list[Callable[[], None]] = []

    def on_change(self, listener: Callable[[], None]) -> None:
        self.listeners.append(listener)


class Served:
    """A house behind its listener; more of them can be started."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._known = Known()
        house.core.settings.use_people(cast("KeptPeople", self._known))
        self.people = PEOPLE
        self.actions = Actions(house.core, clock=house.core.clock)
        self.desk = Desk(self.actions, house.core.store.requests, house.core.clock.now)
        self.pulse = Pulse()
        self.pulse.ended(0.0, house.core.clock.monotonic())
        self.open: list[HttpServer] = []

    @property
    def people(self) -> People:
        """Who is known; others count at once."""
        return self._known.people

    @people.setter
    def people(self, people: People) -> None:
        self._known.people = people
        for hear in self._known.listeners:
            hear()

    def make(self, listener: Listener = HERE, protocol: type[TcpProtocol] = TcpProtocol) -> HttpServer:
        made = HttpServer(
            core=self.house.core,
            actions=self.actions,
            desk=self.desk,
            listener=listener,
            pulse=self.pulse,
            pages=PAGES,
            protocol=protocol,
        )
        self.open.append(made)
        return made

    async def start(self, listener: Listener = HERE, protocol: type[TcpProtocol] = TcpProtocol) -> int:
        made = self.make(listener, protocol)
        await made.start()
        return made.port

    async def token(self, person: str = "", days: int = 1) -> str:
        secret = f"ao_{secrets.token_urlsafe(32)}"
        await tokens.add(self.house.core, digest_of(secret), person=person, label="", days=days, by=OWNER)
        return secret

    async def close(self) -> None:
        await self.desk.close()
        for server in self.open:
            await server.stop()
