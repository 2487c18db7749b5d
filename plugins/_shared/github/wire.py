"""How PyGithub's calls go over the wire: each with a state of its own, a deadline, a bounded answer, no redirect.

PyGithub 2.10 keeps one connection object for all threads and hands it a request in two steps
(`request`, then `getresponse`), so that two calls at once can be mixed up. It follows a 301 without the
query, and reads whatever comes for as long as it comes. Here every call is an object of its own over
sessions that are kept open and shared.
"""

from __future__ import annotations

import threading
import time
from collections.abc import ItemsView, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

MOST_BYTES = 32_000_000
DEADLINE = 20.0
"""Seconds that one call may take, also when its answer drips."""
_CHUNK = 65_536


class TooLong(OSError):
    """An answer that is larger or slower than any that is of use."""


class Reply:
    """An answer as PyGithub wants it."""

    def __init__(self, status: int, headers: Mapping[str, str], text: str) -> None:
        # As 308, which PyGithub hands back: it would follow a 301 without the query.
        self.status = 308 if status == 301 else status
        self.headers = headers
        self._text = text

    def getheaders(self) -> ItemsView[str, str]:
        """All headers."""
        return self.headers.items()

    def read(self) -> str:
        """The whole body."""
        return self._text

    def iter_content(self, chunk_size: int | None = 1) -> Iterator[bytes]:
        """The whole body at once."""
        del chunk_size
        yield self._text.encode()

    def raise_for_status(self) -> None:
        """Whoever called looks at the status."""


class Call:
    """One request and its answer. What PyGithub takes for a connection."""

    def __init__(self, session: Any, base: str, host: str) -> None:  # noqa: ANN401 - a requests.Session
        self.host = host
        self._session = session
        self._base = base
        self._request: tuple[str, str, Any, Mapping[str, str]] | None = None

    def request(
        self,
        verb: str,
        url: str,
        input: Any,  # noqa: A002, ANN401 - PyGithub's name
        headers: Mapping[str, str],
        stream: bool = False,  # noqa: FBT001, FBT002 - as PyGithub calls it
    ) -> None:
        """What is to be sent."""
        del stream
        self._request = (verb, url, input, headers)

    def getresponse(self) -> Reply:
        """Send it and read the answer. Raises `OSError`."""
        if self._request is None:
            msg = "nothing was asked"
            raise TooLong(msg)
        verb, url, body, headers = self._request
        end = time.monotonic() + DEADLINE
        with self._session.request(
            verb,
            f"{self._base}{url}",
            headers=headers,
            data=body,
            timeout=DEADLINE,
            allow_redirects=False,
            stream=True,
        ) as response:
            content = bytearray()
            for chunk in response.iter_content(_CHUNK):
                content += chunk
                if len(content) > MOST_BYTES or time.monotonic() > end:
                    msg = "the answer is too long or too slow"
                    raise TooLong(msg)
            encoding = response.encoding or "utf-8"
            text = content.decode("utf-8" if encoding == "ISO-8859-1" else encoding, errors="replace")
            return Reply(response.status_code, response.headers, text)

    def close(self) -> None:
        """The session is kept for the calls that follow."""


class Wire:
    """Sessions by server, for all clients: PyGithub makes requesters of its own, too, for an App's tokens."""

    def __init__(self) -> None:
        self._connections: dict[tuple[type, str, int | None], Any] = {}
        self._lock = threading.Lock()

    def maker(self, kind: type[Any]) -> Maker:
        """What makes calls over connections of PyGithub's `kind`, which hold a session each."""
        return Maker(self, kind)

    def call(self, kind: type[Any], host: str, port: int | None, options: Mapping[str, Any]) -> Call:
        """A call to a server, over the session that is open to it."""
        with self._lock:
            key = (kind, host, port)
            if key not in self._connections:
                self._connections[key] = kind(host, port, **options)
            connection = self._connections[key]
        name = f"[{host}]" if ":" in host else host
        return Call(connection.session, f"{connection.protocol}://{name}:{connection.port}", host)

    def close(self, url: str) -> None:
        """Let go of the sessions with a server; whoever calls it again opens new ones."""
        parts = urlsplit(url)
        with self._lock:
            keys = [key for key in self._connections if key[1:] == (parts.hostname, parts.port)]
            connections = [self._connections.pop(key) for key in keys]
        for connection in connections:
            connection.close()


@dataclass(frozen=True, slots=True)
class Maker:
    """Stands where PyGithub wants a class of connections. No function: as a class' attribute that would be a method."""

    wire: Wire
    kind: type[Any]

    def __call__(self, host: str, port: int | None = None, **options: Any) -> Call:  # noqa: ANN401 - handed on
        """A call, as if a connection was made."""
        return self.wire.call(self.kind, host, port, options)


WIRE = Wire()
"""Of this process."""
