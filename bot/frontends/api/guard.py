"""What every request over TCP must pass before anything reads it: Host, Origin, size, time; and what is sent with answers.

A browser on this machine is the danger: any page that it shows can send requests to a loopback port, and
can give its own name our address (DNS rebinding). So we answer only under names of ours, and what changes
something must come from a page of ours or carry a token.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.chat.desk import error_data
from orchestrator.domain.listener import Listener
from orchestrator.errors import AoError, BadInput, NotAllowed

MOST_BODY = 256 * 1024
_DRAIN_MOST, _DRAIN_WITHIN = 4 * MOST_BODY, 2.0
BODY_WITHIN = 20.0
"""Seconds in which a body must have come."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_FORWARDED = ("x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "forwarded", "via")
_PORTS = {"http": 80, "https": 443}
ANSWERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Sent with every answer that does not say otherwise itself; a page brings its own content policy."""


class TooLarge(BadInput):
    """A body has too many bytes."""

    code = "too-large"


class TooSlow(BadInput):
    """A body did not come in time."""

    code = "too-slow"


class WrongName(NotAllowed):
    """Asked under a name that is not ours."""

    code = "wrong-host"


_STATUS = {TooLarge.code: 413, WrongName.code: 421}


class Guard:
    """ASGI middleware around everything that the TCP listener serves."""

    def __init__(self, app: ASGIApp, listener: Listener, *, body_within: float = BODY_WITHIN) -> None:
        self._app = app
        self._listener = listener
        self._body_within = body_within
        public = urlsplit(listener.public_url)
        self._public = (public.hostname or "", public.port or _PORTS.get(public.scheme, 0))
        self._public_scheme = public.scheme

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse it, or hand it on."""
        if scope["type"] != "http":
            return
        scope = self._behind_proxy(scope)
        dressed = _dressed(send, hsts=scope["scheme"] == "https")
        try:
            self._check(Headers(scope=scope), str(scope["method"]))
        except AoError as error:
            if isinstance(error, TooLarge):
                await drain(receive, _DRAIN_MOST)
            answer = JSONResponse(error_data(error), status_code=_STATUS.get(error.code, 403))
            await answer(scope, receive, dressed)
            return
        await self._app(scope, Body(receive, self._body_within, MOST_BODY).receive, dressed)

    def _behind_proxy(self, scope: Scope) -> Scope:
        """With the client and scheme that a trusted proxy tells; nobody else is believed."""
        headers = Headers(scope=scope)
        scope = {**scope, "ao.forwarded": any(name in headers for name in _FORWARDED)}
        client = scope.get("client")
        if client is None or not self._trusts(client[0]):
            return scope
        # The last one was written by the proxy itself; what stands before it, anybody may have written.
        for address in reversed(headers.get("x-forwarded-for", "").split(",")):
            client = (address.strip() or client[0], 0)
            if not self._trusts(client[0]):
                break
        scheme = headers.get("x-forwarded-proto", "").strip()
        return {**scope, "client": client, "scheme": scheme if scheme in _PORTS else scope["scheme"]}

    def _trusts(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
            found = found.ipv4_mapped  # as a listener on all addresses of both kinds sees it
        return any(found in network for network in self._listener.proxies)

    def _check(self, headers: Headers, method: str) -> None:
        """Raises `WrongName`, `NotAllowed`, `TooLarge`."""
        host = headers.get("host", "")
        if not self._is_ours(host):
            msg = "this server is not known under the name that it was asked by."
            raise WrongName(
                msg, next_step="Behind a proxy, set `console.publicUrl` to the address that people use."
            )
        if method not in _SAFE and not self._may_change(headers, host):
            msg = "this did not come from a page of ours."
            raise NotAllowed(msg, next_step="Programs send a token and no Origin.")
        length = headers.get("content-length", "0")
        if length.isdigit() and int(length) > MOST_BODY:
            raise too_large(MOST_BODY)

    def _is_ours(self, host: str) -> bool:
        name, port = _name_and_port(host)
        if name in _LOOPBACK_NAMES:
            return True
        return bool(name) and name == self._public[0] and (port or self._public[1]) == self._public[1]

    def _may_change(self, headers: Headers, host: str) -> bool:
        """A page of ours says so by its Origin; who sends a token and no cookie is no page."""
        origin = headers.get("origin")
        if origin is not None:
            return self._is_our_page(origin, host)
        if headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
            return False
        return "cookie" not in headers and "authorization" in headers

    def _is_our_page(self, origin: str, host: str) -> bool:
        if self._public[0] and origin.lower() == self._listener.public_url:
            return True
        return _name_and_port(host)[0] in _LOOPBACK_NAMES and origin.lower() == f"http://{host.lower()}"


def asked_here(scope: Scope) -> bool:
    """Whether a process of this machine asks, under a loopback name and through no proxy."""
    client = scope.get("client")
    name, _ = _name_and_port(Headers(scope=scope).get("host", ""))
    direct = not scope.get("ao.forwarded", False)
    return (
        direct
        and client is not None
        and name in _LOOPBACK_NAMES
        and ipaddress.ip_address(client[0]).is_loopback
    )


def _name_and_port(host: str) -> tuple[str, int]:
    """`localhost:8410` as name and port; no name for what is no host."""
    try:
        found = urlsplit(f"//{host}")
        name, port = found.hostname or "", found.port or 0
    except ValueError:
        return "", 0
    return (name, port) if found.netloc == host and "@" not in host else ("", 0)


class Body:
    """A body that is bounded in size (bytes) and in time (seconds), also where it has no length."""

    def __init__(self, receive: Receive, within: float, most: int) -> None:
        self._receive = receive
        self._most = most
        self._size = 0
        self._whole = False
        self._until = asyncio.get_running_loop().time() + within

    async def receive(self) -> Message:
        """The next part. Raises `TooLarge`, `TooSlow`."""
        if self._whole:
            return await self._receive()  # that the client has gone: it may take as long as it likes
        try:
            async with asyncio.timeout_at(self._until):
                part = await self._receive()
        except TimeoutError:
            msg = "the body did not come in time."
            raise TooSlow(msg) from None
        self._size += len(part.get("body", b""))
        self._whole = not part.get("more_body", False)
        if self._size > self._most:
            await drain(self._receive, _DRAIN_MOST)
            raise too_large(self._most)
        return part


async def drain(receive: Receive, most: int) -> None:
    """Read on for a moment: a connection closed over unread bytes is reset, and takes the answer with it."""
    size = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DRAIN_WITHIN):
            while size < most:
                part = await receive()
                size += len(part.get("body", b""))
                if not part.get("more_body", False):
                    return


def too_large(most: int) -> TooLarge:
    """The error for a body with more bytes than `most`."""
    msg = f"a request has at most {most} bytes."
    return TooLarge(msg)


def _dressed(send: Send, *, hsts: bool) -> Send:
    """Answers with the headers that browsers need to hear."""

    async def dressed(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in ANSWERS.items():
                headers.setdefault(name, value)
            if hsts:
                headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        await send(message)

    return dressed
