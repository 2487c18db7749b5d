"""The personal tokens, hashed, among the values of the fleet."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from orchestrator.domain.token import PersonalToken, digest_of, is_digest
from orchestrator.errors import BadInput, Conflict, NotFound
from orchestrator.storage.fleet import FleetStore

log = logging.getLogger(__name__)
TOKENS = "tokens"
MOST = 200
"""All of them are looked through for each request."""
_COARSE = 3600.0
"""Seconds to which the last use is rounded down: it is written once an hour at most."""


class KeptTokens:
    """Read once, changed here only."""

    def __init__(self, fleet: FleetStore) -> None:
        self._fleet = fleet
        self._changing = asyncio.Lock()
        self.all: tuple[PersonalToken, ...] = ()

    def open(self) -> None:
        """Take over what is kept. A row that is no token gives no right: it is named in the log."""
        self.all = tuple(_read(self._fleet.get(TOKENS, ())))

    async def add(self, token: PersonalToken) -> None:
        """Keep one. Raises `Conflict` where its digest is known, `BadInput` above `MOST`, `TemporaryError`."""
        async with self._changing:
            if any(kept.digest == token.digest for kept in self.all):
                msg = "this token is kept already."
                raise Conflict(msg)
            if len(self.all) >= MOST:
                msg = f"{MOST} tokens are kept already."
                raise BadInput(msg, next_step="`ao token rm` takes some away.")
            await self._set((*self.all, token))

    async def drop(self, name: str, may: Callable[[PersonalToken], bool]) -> PersonalToken:
        """Take one away by its id. Raises `NotFound`, also for one that `may` denies; `TemporaryError`."""
        async with self._changing:
            for token in self.all:
                if token.id == name and may(token):
                    await self._set(tuple(kept for kept in self.all if kept is not token))
                    return token
        msg = f"there is no token {name!r}."
        raise NotFound(msg, next_step="`ao token ls` lists them.")

    async def expire(self, person: str, now: float) -> int:
        """Let all tokens of a person expire, also for a later one of that name; how many. Raises `TemporaryError`."""
        async with self._changing:
            ended = [t for t in self.all if t.person.lower() == person.lower() and t.holds(now)]
            if ended:
                await self._set(tuple(replace(t, expires=now) if t in ended else t for t in self.all))
        return len(ended)

    def find(self, secret: str) -> PersonalToken | None:
        """The token, expired or not. Takes as long for one that is nearly right as for any other."""
        digest = digest_of(secret)
        found = [token for token in self.all if hmac.compare_digest(token.digest, digest)]
        return found[0] if found else None

    async def was_used(self, name: str, now: float) -> None:
        """Keep that it was used, to the hour. Raises `TemporaryError`."""
        hour = now - now % _COARSE
        if all(token.id != name or token.used >= hour for token in self.all):
            return
        async with self._changing:
            await self._set(tuple(replace(t, used=hour) if t.id == name else t for t in self.all))

    async def _set(self, tokens: tuple[PersonalToken, ...]) -> None:
        await self._fleet.set(TOKENS, [asdict(token) for token in tokens] or None)
        self.all = tokens


def _read(rows: Iterable[Mapping[str, Any]]) -> Iterable[PersonalToken]:
    for row in rows:
        try:
            token = PersonalToken(**row)
            usable = is_digest(token.digest) and isinstance(token.expires, int | float)
        except TypeError as error:
            log.warning("a kept token cannot be read and does not count: %s", error)
            continue
        if usable:
            yield token
        else:
            log.warning("the kept token %r has no digest or expiry and does not count", token.id)
