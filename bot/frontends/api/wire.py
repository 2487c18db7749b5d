"""HTTP/1.1 as our own server speaks it, over a socket that is open: one request, one answer.

`http.client` brings mail and TLS with it: importing it takes longer than most verbs take.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import BinaryIO, Self

OK = 200
REDIRECT = 300
"""From here on nothing was done; we follow nobody elsewhere, least of all with a token."""
_MOST_HEADERS = 100
_MOST_LINE = 65536


class BrokenAnswer(Exception):
    """The answer ended early, or is no HTTP."""


class Answer:
    """A status, and what follows it as it comes. Leaving its context closes the socket."""

    def __init__(self, opened: socket.socket) -> None:
        self._socket = opened
        self._file: BinaryIO = opened.makefile("rb")
        self.status = 0
        self._headers: dict[str, str] = {}

    def read_head(self) -> Answer:
        """Wait for status and headers. Raises `BrokenAnswer`, `TimeoutError`, `OSError`."""
        words = self._line().split(None, 2)
        if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not words[1].isdigit():
            msg = "no HTTP came"
            raise BrokenAnswer(msg)
        self.status = int(words[1])
        for _ in range(_MOST_HEADERS):
            line = self._line()
            if not line:
                return self
            name, _, value = line.decode("latin-1").partition(":")
            self._headers[name.strip().lower()] = value.strip()
        msg = "it has too many headers"
        raise BrokenAnswer(msg)

    def content(self) -> bytes:
        """All of it."""
        return b"".join(self._parts())

    def lines(self) -> Iterator[bytes]:
        """Line by line, each as soon as it is there."""
        begun = b""
        for part in self._parts():
            *whole, begun = (begun + part).split(b"\n")
            yield from whole
        if begun:
            yield begun

    def close(self) -> None:
        """Let the connection go."""
        self._file.close()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _parts(self) -> Iterator[bytes]:
        if self._headers.get("transfer-encoding", "").lower() == "chunked":
            yield from self._chunks()
        else:
            yield self._exactly(_number(self._headers.get("content-length", "0"), 10))

    def _chunks(self) -> Iterator[bytes]:
        while size := _number(self._line().partition(b";")[0].decode("latin-1"), 16):
            yield self._exactly(size)
            self._exactly(2)

    def _line(self) -> bytes:
        line = self._file.readline(_MOST_LINE)
        if not line.endswith(b"\n"):
            msg = "it ended early"
            raise BrokenAnswer(msg)
        return line.rstrip(b"\r\n")

    def _exactly(self, size: int) -> bytes:
        data = self._file.read(size)
        if len(data) < size:
            msg = "it ended early"
            raise BrokenAnswer(msg)
        return data


def ask(opened: socket.socket, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send one request and wait for the head of its answer. From now on the socket is the answer's.

    `path` and `headers` are our own words: nothing in them may end a line. Raises as `read_head`.
    """
    given = {
        "Host": "localhost",
        "Connection": "close",
        "Content-Length": str(len(body)),
        "Content-Type": "application/json",
        **headers,
    }
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
    if any("\r" in line or "\n" in line for line in lines):
        msg = "a request's line has a line end in it"
        raise ValueError(msg)
    answer = Answer(opened)
    try:
        opened.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        return answer.read_head()
    except BaseException:
        answer.close()
        raise


def _number(text: str, base: int) -> int:
    try:
        number = int(text.strip(), base)
    except ValueError:
        number = -1
    if number < 0:
        msg = f"{text[:20]!r} is no length"
        raise BrokenAnswer(msg)
    return number
