"""Browsers that are logged in to the console, kept so that they outlive a restart: hashes, never what a browser holds."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from orchestrator import disk
from orchestrator.storage.damage import write_failed
from orchestrator.storage.durable import read_file
from orchestrator.storage.lanes import Lanes

FILE = "logins.json"
_VERSION = 1
IDLE = 30 * 86400.0
"""Seconds without a visit after which a browser has to log in again."""
LONGEST = 90 * 86400.0
"""Seconds after which it has to in any case."""
_SEEN_EVERY = 86400.0
"""A visit is written down at most so often."""
_MOST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """One browser."""

    name: str
    """Who: a person's handle; the owner's name."""
    owner: bool
    since: float
    seen: float

    def valid(self, now: float) -> bool:
        """It was used lately, and is not too old."""
        return now - self.seen < IDLE and now - self.since < LONGEST


class Logins:
    """All browsers that are logged in. One instance a home."""

    def __init__(self, path: Path, lanes: Lanes) -> None:
        self._path = path
        self._lanes = lanes
        self._kept: dict[str, Login] = {}
        self._open = False
        self._opening = asyncio.Lock()

    async def open(self, now: float) -> None:
        """Read what is kept, once. A file that cannot be read logs everybody out, and is replaced."""
        async with self._opening:
            if self._open:
                return
            found = await self._lanes.run("logins", _read, self._path)
            self._kept = {name: login for name, login in found.items() if login.valid(now)}
            self._open = True

    async def make(self, name: str, *, owner: bool, now: float) -> str:
        """Log a browser in; returns what it holds from now on. Raises `TemporaryError`."""
        token = secrets.token_urlsafe(32)
        login = Login(name=name, owner=owner, since=now, seen=now)
        valid = sorted(
            ((key, kept) for key, kept in self._kept.items() if kept.valid(now)),
            key=lambda pair: pair[1].seen,
        )
        self._kept = {**dict(valid[-_MOST + 1 :]), _digest(token): login}
        await self._write()
        return token

    async def find(self, token: str, now: float) -> Login | None:
        """Who holds this, if it is valid still. Raises `TemporaryError`."""
        key = _digest(token)
        login = self._kept.get(key)
        if login is None or not login.valid(now):
            return None
        if now - login.seen > _SEEN_EVERY:
            self._kept[key] = login = replace(login, seen=now)
            await self._write()
        return login

    async def end(self, token: str) -> None:
        """Log a browser out. Repeatable. Raises `TemporaryError`."""
        if self._kept.pop(_digest(token), None) is not None:
            await self._write()

    async def end_all(self, name: str) -> int:
        """Log out every browser of a person; how many there were. Raises `TemporaryError`.

        The owner of the machine is nobody of that name.
        """
        lowered = name.lower()
        gone = [k for k, login in self._kept.items() if not login.owner and login.name.lower() == lowered]
        for key in gone:
            del self._kept[key]
        if gone:
            await self._write()
        return len(gone)

    async def _write(self) -> None:
        logins = {key: asdict(login) for key, login in self._kept.items()}
        content = json.dumps({"v": _VERSION, "logins": logins}, ensure_ascii=False, indent=1).encode()
        await self._lanes.run("logins", _replace, self._path, content)


def _replace(path: Path, content: bytes) -> None:
    try:
        disk.replace(path, content)
    except OSError as error:
        raise write_failed(path, error) from error


def _read(path: Path) -> dict[str, Login]:
    try:
        kept = json.loads(read_file(path))
        if kept["v"] != _VERSION:
            return {}
        return {key: Login(**login) for key, login in kept["logins"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
