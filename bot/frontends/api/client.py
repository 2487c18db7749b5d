"""A client of the API, over the unix socket or over TCP; used by the shell and the demo. Standard library only."""

from __future__ import annotations

import json
import socket
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

from bot.chat.message import Json
from bot.frontends.api import wire
from bot.frontends.api.reach import NoServer, TcpReach, UnixReach
from orchestrator.errors import (
    AoError,
    BadInput,
    Conflict,
    NotAllowed,
    NotFound,
    NotReady,
    PermanentError,
    TemporaryError,
)

__all__ = ["Client", "NoServer"]
ROOT = "/api/v1"
TIMEOUT = 60.0
_ERRORS: dict[str, type[AoError]] = {
    kind.code: kind
    for kind in (BadInput, NotFound, Conflict, NotAllowed, NotReady, TemporaryError, PermanentError)
}
_ERRORS |= {"unauthenticated": NotAllowed, "wrong-host": NotAllowed, "too-large": BadInput}


class Client:
    """Calls the API. Every method raises the `AoError` that the server answered, or `NoServer`."""

    def __init__(
        self, where: Path | str, *, token: str = "", timeout: float = TIMEOUT, surface: str = "api"
    ) -> None:
        """`where` is the path of a socket, or the address of a server, which is given the `token`."""
        self._reach = TcpReach(where, token) if isinstance(where, str) else UnixReach(where)
        self._surface = surface
        self._timeout = timeout

    def health(self) -> dict[str, Json]:
        """Version and process of the server."""
        return self._call("GET", "/health", timeout=self._timeout if self._reach.slow else 2.0)

    def running(self) -> bool:
        """Whether a server answers."""
        try:
            self.health()
        except NoServer:
            return False
        return True

    def sessions(self, *, project: str = "", ended: bool = False) -> list[dict[str, Json]]:
        """Sessions as data."""
        query = {
            key: value for key, value in {"project": project, "ended": "1" if ended else ""}.items() if value
        }
        found = self._call("GET", f"/sessions?{urlencode(query)}").get("sessions")
        return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []

    def session(self, session: str) -> dict[str, Json]:
        """One session as data, by id, issue or pull request."""
        return self._call("GET", f"/sessions/{quote(session, safe='')}")

    def act(
        self, verb: str, arguments: Mapping[str, Json] | None = None, *, key: str = "", preview: bool = False
    ) -> dict[str, Json]:
        """Run a verb; returns its message. Waits for long work, as long as the client's time limit."""
        body: dict[str, Json] = {
            "verb": verb,
            "arguments": dict(arguments or {}),
            "preview": preview,
            "surface": self._surface,
        }
        answer = self._call("POST", "/actions", body=body, key=key)
        while answer.get("state") == "running":
            answer = self._call("GET", f"/requests/{answer.get('request')}?wait=20")
        message = answer.get("message")
        return message if isinstance(message, dict) else {}

    def events(self, after: int, *, limit: int = 100, wait: float = 0.0) -> list[dict[str, Json]]:
        """Events after a number; with `wait` the answer comes when there are some, or after that time."""
        query = urlencode({"after": after, "limit": limit, "wait": wait})
        return list(self._lines(f"/events?{query}", self._timeout + wait))

    def follow(self, after: int) -> Generator[dict[str, Json], None, None]:
        """Each event after a number, without an end; ends when the server does."""
        yield from self._lines(f"/events?{urlencode({'after': after, 'follow': 1})}", None)

    def _lines(self, path: str, timeout: float | None) -> Iterator[dict[str, Json]]:
        opened = self._open(timeout)
        try:
            with wire.ask(opened, "GET", ROOT + path, b"", self._reach.headers) as answer:
                if answer.status != wire.OK:
                    raise _error(answer.content())
                for line in answer.lines():
                    if line.strip():
                        yield json.loads(line)
        except (wire.BrokenAnswer, ConnectionError) as error:
            msg = "ao start stopped while it was asked."
            raise NoServer(msg, next_step="`ao start` runs it again.") from error

    def _call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Json] | None = None,
        key: str = "",
        timeout: float | None = None,
    ) -> dict[str, Json]:
        opened = self._open(timeout or self._timeout)
        headers = {**self._reach.headers, **({"Idempotency-Key": key} if key else {})}
        content = json.dumps(body).encode() if body is not None else b""
        try:
            with wire.ask(opened, method, ROOT + path, content, headers) as answer:
                said = answer.content()
        except TimeoutError as error:
            msg = "ao start did not answer in time."
            raise TemporaryError(msg, next_step="Ask again; what was asked is kept.") from error
        except (wire.BrokenAnswer, OSError) as error:
            msg = f"ao start broke off: {error}."
            raise TemporaryError(msg, next_step="Ask again; `ao status` shows what was done.") from error
        if answer.status >= wire.REDIRECT:
            raise _error(said)
        found = json.loads(said)
        return found if isinstance(found, dict) else {}

    def _open(self, timeout: float | None) -> socket.socket:
        return self._reach.open(timeout)


def _error(content: bytes) -> AoError:
    """The server's error, as the same kind of error here."""
    try:
        data = json.loads(content)
    except ValueError:
        data = {}
    data = data if isinstance(data, dict) else {}
    code = str(data.get("code") or "error")
    what = str(data.get("what") or "the server answered something that is not understood.")
    session = str(data["session"]) if data.get("session") else None
    error = _ERRORS.get(code, AoError)(what, session=session, next_step=str(data.get("next_step") or ""))
    error.code = code
    return error
