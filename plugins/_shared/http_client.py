"""Outgoing HTTP of plugins: one request, one time limit, no redirect. httpx is met only here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from orchestrator.errors import NotFound, PermanentError, TemporaryError

_BODY_LIMIT = 65_536
_THREAD = ThreadPoolExecutor(max_workers=1, thread_name_prefix="http-client")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server answered; of a long body the beginning. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: str


class HttpClient:
    """Connections to servers, kept open between requests. Errors name the server, never the whole address."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._client: httpx.AsyncClient | None = None
        self._opening = asyncio.Lock()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a body. Raises `TemporaryError` when there was no answer, `PermanentError` for a bad address."""
        client = await self._open()
        try:
            async with (
                asyncio.timeout(self._timeout),
                client.stream("POST", url, content=body, headers=dict(headers)) as response,
            ):
                kept = b""
                async for chunk in response.aiter_bytes():
                    kept = (kept + chunk)[:_BODY_LIMIT]
                    if len(kept) == _BODY_LIMIT:
                        break
                text = kept.decode(errors="replace")
                return Answer(status=response.status_code, headers=dict(response.headers), body=text)
        except TimeoutError as error:
            msg = f"{server(url)} did not answer within {self._timeout:g} s."
            raise TemporaryError(msg) from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
            # Not the library's words: they hold the address and headers, and so perhaps a secret.
            msg = f"the address or a header for {server(url)} is not valid ({type(error).__name__})."
            raise PermanentError(msg) from None
        except httpx.HTTPError as error:
            msg = f"{server(url)} cannot be reached ({type(error).__name__})."
            raise TemporaryError(msg) from error

    async def end_of(self, url: str, most: int) -> bytes:
        """The last `most` bytes of a document. Raises `NotFound`, and as `post` does."""
        client = await self._open()
        kept = bytearray()
        try:
            async with asyncio.timeout(self._timeout), client.stream("GET", url) as response:
                if response.status_code in {404, 410}:
                    msg = f"{server(url)} does not have it any more."
                    raise NotFound(msg)
                if response.status_code != 200:
                    msg = f"{server(url)} answered {response.status_code}."
                    raise TemporaryError(msg)
                async for chunk in response.aiter_bytes():
                    kept += chunk
                    del kept[:-most]
        except TimeoutError as error:
            msg = f"{server(url)} did not answer within {self._timeout:g} s."
            raise TemporaryError(msg) from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            msg = f"the address of a document is not valid ({type(error).__name__})."
            raise PermanentError(msg) from None
        except httpx.HTTPError as error:
            msg = f"{server(url)} cannot be reached ({type(error).__name__})."
            raise TemporaryError(msg) from None
        return bytes(kept)

    async def close(self) -> None:
        """Close the connections. Repeatable."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _open(self) -> httpx.AsyncClient:
        async with self._opening:
            if self._client is None:
                # Making one reads the certificates from disk.
                self._client = await asyncio.get_running_loop().run_in_executor(_THREAD, self._make)
            return self._client

    def _make(self) -> httpx.AsyncClient:
        # At INFO it logs whole addresses, and an address of a webhook holds its secret.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        return httpx.AsyncClient(timeout=self._timeout, follow_redirects=False)


def server(url: str) -> str:
    """The host and port of an address: what may be shown of it."""
    parts = urlsplit(url)
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        port = ""
    return f"{parts.hostname or 'the server'}{port}"
