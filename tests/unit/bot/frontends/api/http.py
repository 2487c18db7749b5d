"""Raw HTTP over a real socket, for the tests of the TCP listener."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LIMIT = 10.0


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer, read to its end."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""

    @property
    def data(self) -> Any:
        return json.loads(self.content)


async def ask(
    port: int,
    target: str,
    *,
    method: str = "GET",
    token: str = "",
    body: object = None,
    **headers: str,
) -> Answered:
    """Ask once; `headers` with `_` for `-`. A header that is empty is not sent."""
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"Host": f"127.0.0.1:{port}", "Connection": "close", "Content-Length": str(len(content))}
    given |= {"Authorization": f"Bearer {token}"} if token else {}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items() if value)]
    return await raw(port, "\r\n".join([*lines, "", ""]).encode() + content)


async def raw(port: int, sent: bytes) -> Answered:
    """Send bytes as they are, and read the answer to its end; status 0: cut off without one."""
    async with asyncio.timeout(LIMIT):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(sent)
            return _parsed(await reader.read())
        except ConnectionError:
            return Answered(0)
        finally:
            writer.close()


def _parsed(received: bytes) -> Answered:
    head, _, content = received.partition(b"\r\n\r\n")
    first, *rows = head.decode("latin-1").split("\r\n")
    if not first:
        return Answered(0)
    headers = {name.lower(): value.strip() for name, _, value in (row.partition(":") for row in rows)}
    if headers.get("transfer-encoding") == "chunked":
        content = _unchunked(content)
    return Answered(int(first.split()[1]), headers, content)


def _unchunked(content: bytes) -> bytes:
    found = b""
    while content:
        size, _, rest = content.partition(b"\r\n")
        length = int(size, 16)
        found, content = found + rest[:length], rest[length + 2 :]
        if not length:
            break
    return found
