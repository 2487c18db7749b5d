"""What lets us act as people on a forge: one file for each person and host, that only we read.

Apart from `fleet.json`, so that no list, export or copy of the fleet's values holds a token. Who is who
where is in memory; tokens are read when they are needed.
"""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

from orchestrator import disk
from orchestrator.domain.rights import handle
from orchestrator.errors import BadInput
from orchestrator.ports.scm import Credential
from orchestrator.storage.damage import write_failed
from orchestrator.storage.durable import read_file
from orchestrator.storage.lanes import Lanes

log = logging.getLogger(__name__)
OWNER = "owner"
"""Under this name the owner of the machine is kept while they are nobody else; no person can have it."""
_VERSION = 1
_HOST = re.compile(r"[a-z0-9][a-z0-9.-]{0,252}(?::\d{1,5})?")


class KeptLinks:
    """Reads and writes them. One instance a home."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lanes = Lanes(1, "ao-links")
        self._known: dict[tuple[str, str], str] = {}
        """Person and host -> login there."""

    async def open(self) -> None:
        """See who is linked where."""
        self._known = await self._lanes.run("links", _found, self._folder)

    async def close(self) -> None:
        """Finish what is being written."""
        await self._lanes.close()

    def logins(self, host: str) -> frozenset[str]:
        """Everybody who is linked there, by their names there."""
        return frozenset(login for (_, there), login in self._known.items() if there == host)

    def people(self) -> frozenset[str]:
        """Everybody who is linked anywhere, in lower case."""
        return frozenset(who for who, _ in self._known)

    def hosts(self, person: str) -> tuple[str, ...]:
        """Where somebody is linked."""
        return tuple(sorted(host for who, host in self._known if who == person.lower()))

    async def get(self, person: str, host: str) -> Credential | None:
        """What we have of somebody; None where they are not linked, or the file cannot be used."""
        path = self._path(person, host)
        return await self._lanes.run("links", _read, path) if path is not None else None

    async def put(self, person: str, host: str, credential: Credential) -> None:
        """Keep it in place of what was there. Raises `BadInput` for what is no name, `TemporaryError`."""
        path = self._path(person, host)
        if path is None:
            msg = f"nobody can be linked as {person!r} on {host!r}."
            raise BadInput(msg)
        await self._lanes.run("links", _write, path, credential)
        self._known[path.parent.name, path.stem] = credential.login

    async def drop(self, person: str, host: str) -> bool:
        """Forget somebody there; whether they were linked. Raises `TemporaryError`."""
        path = self._path(person, host)
        if path is None:
            return False
        gone = await self._lanes.run("links", _remove, path)
        self._known.pop((path.parent.name, path.stem), None)
        return gone

    def _path(self, person: str, host: str) -> Path | None:
        if _HOST.fullmatch(host) is None:
            return None
        if person != OWNER:
            try:
                handle(person)
            except BadInput:
                return None
        return self._folder / person.lower() / f"{host}.json"


def _found(folder: Path) -> dict[tuple[str, str], str]:
    paths = [path for path in folder.glob("*/*.json") if not path.name.startswith(".")]
    read = {(path.parent.name, path.stem): _read(path) for path in paths}
    return {where: kept.login if kept else "" for where, kept in read.items()}


def _read(path: Path) -> Credential | None:
    try:
        kept = json.loads(read_file(path))
        if kept["v"] != _VERSION:
            log.warning("%s is of another version of ao and does not count", path)
            return None
        return Credential(
            login=str(kept["login"]),
            token=str(kept["token"]),
            expires_at=float(kept["expires_at"]),
            renewal=str(kept["renewal"]),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, LookupError) as error:
        # Not the error's own words: they may hold what stands in the file.
        log.warning("%s cannot be read (%s): its person is not linked", path, type(error).__name__)
        return None


def _write(path: Path, credential: Credential) -> None:
    kept = {
        "v": _VERSION,
        "login": credential.login,
        "token": credential.token,
        "expires_at": credential.expires_at,
        "renewal": credential.renewal,
    }
    try:
        disk.make_folder(path.parent)
        disk.replace(path, json.dumps(kept).encode(), mode=0o600)
    except OSError as error:
        raise write_failed(path, error) from error


def _remove(path: Path) -> bool:
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise write_failed(path, error) from error
    disk.sync_folder(path.parent)
    return True
