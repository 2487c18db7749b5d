"""Who asks: over the unix socket the owner, over TCP whoever holds a personal token."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request as HttpRequest
from typing_extensions import override

from bot.chat.request import Surface
from bot.frontends.api import peer
from bot.frontends.api.asked import Asker
from orchestrator.domain.person import OWNER
from orchestrator.domain.token import PersonalToken
from orchestrator.errors import NotAllowed

Use = Callable[[str], Awaitable[PersonalToken | None]]
"""The token that a text is, if it counts now."""


class Unknown(NotAllowed):
    """Nobody knows who asks."""

    code = "unauthenticated"


class Door(Protocol):
    """Tells who asks."""

    async def asker(self, http: HttpRequest) -> Asker:
        """Who asks. Raises `NotAllowed`, `Unknown`."""

    async def holds(self, http: HttpRequest) -> bool:
        """Whether who was let in before is still to be told anything, as a stream goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerDoor(Door):
    """Processes of our own user, except those that run under a session."""

    threads: ThreadPoolExecutor
    """For what blocks: looking at processes."""
    session_of: Callable[[int], str] = peer.session_of

    @override
    async def asker(self, http: HttpRequest) -> Asker:
        """The owner. Raises `NotAllowed` for whoever runs under a session."""
        client = http.client
        if client is None or client.host != "unix":
            msg = "who asks cannot be told."
            raise NotAllowed(msg)
        session = await asyncio.get_running_loop().run_in_executor(self.threads, self.session_of, client.port)
        if session:
            msg = "this was asked from within a session, and people's verbs are not a session's."
            raise NotAllowed(
                msg, session=session, next_step="Agents have `ao report`, `ao ask`, `ao pr` and `ao done`."
            )
        return Asker(who=OWNER, surface=Surface.API, local=True)

    @override
    async def holds(self, http: HttpRequest) -> bool:
        """As long as the connection: the process at its other end is the same."""
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenDoor(Door):
    """Holders of a personal token, each with the rights that the person has at this moment."""

    use: Use

    @override
    async def asker(self, http: HttpRequest) -> Asker:
        """The token's person. Raises `Unknown`."""
        given = http.headers.get("Authorization", "")
        scheme, _, secret = given.partition(" ")
        token = await self.use(secret.strip()) if scheme.lower() == "bearer" else None
        if token is None:
            msg = (
                "this token does not count: it is unknown, expired or taken back, or its person is not known any more."
                if given
                else "a token is needed."
            )
            raise Unknown(
                msg,
                next_step="Its person gets one by `ao token add` on the server; send `Authorization: Bearer ao_…`.",
            )
        return Asker(who=token.actor, surface=Surface.API)

    @override
    async def holds(self, http: HttpRequest) -> bool:
        """Until the token expires or is taken back."""
        try:
            await self.asker(http)
        except Unknown:
            return False
        return True
