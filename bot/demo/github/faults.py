"""What can be made to go wrong with the fake GitHub, for the next calls or for a while."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.utils import formatdate

from aiohttp import web

KINDS = ("500", "501", "502", "503", "html", "hang", "slow", "secondary", "429", "drop", "refuse")
_HTML = "<!DOCTYPE html>\n<html><head><title>Unicorn! &middot; GitHub</title></head><body><p>Sorry.</p></body></html>\n"
_SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."


@dataclass(slots=True)
class Fault:
    """For the next `calls` whose name (`GET /repos/…`, `GRAPHQL query …`, `GIT /o/r.git/…`) has `match` in it."""

    kind: str
    match: str = ""
    calls: int = 1
    seconds: float = 1.0
    """How slow; what Retry-After says."""


class Unreachable(Exception):
    """Hang up without an answer."""


@dataclass(slots=True)
class Faults:
    """What is set now; with nothing set all goes well."""

    skew: float = 0.0
    """Seconds that the Date header is ahead of the clock."""
    is_down: bool = False
    """Nothing is answered."""
    met: list[str] = field(default_factory=list)
    """Calls that met a fault, with its kind."""
    _set: list[Fault] = field(default_factory=list)
    _released: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, fault: Fault) -> None:
        """One more. Raises `ValueError` for a kind that there is not."""
        if fault.kind not in KINDS:
            msg = f"There is no fault {fault.kind}; there are {', '.join(KINDS)}."
            raise ValueError(msg)
        self._set.append(fault)

    def clear(self) -> None:
        """All goes well again; what hangs is hung up."""
        self._set.clear()
        self.is_down = False
        self._released.set()
        self._released = asyncio.Event()

    def _next(self, name: str) -> Fault | None:
        for fault in self._set:
            if fault.calls > 0 and re.search(re.escape(fault.match), name):
                fault.calls -= 1
                self.met.append(f"{fault.kind} {name[:200]}")
                return fault
        return None

    async def around(
        self, name: str, answer: Callable[[], Awaitable[web.StreamResponse]], now: float
    ) -> web.StreamResponse:
        """The answer, or what is set instead of it. Raises `Unreachable`."""
        if self.is_down:
            raise Unreachable
        fault = self._next(name)
        if fault is not None and (said := await self._instead(fault)) is not None:
            response: web.StreamResponse = said
        else:
            response = await answer()
        if fault is not None and fault.kind == "drop":
            raise Unreachable
        response.headers["Date"] = formatdate(now + self.skew, usegmt=True)
        return response

    async def _instead(self, fault: Fault) -> web.Response | None:
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
            return None
        if fault.kind == "hang":
            await self._released.wait()
            raise Unreachable
        if fault.kind == "refuse":
            raise Unreachable
        if fault.kind in {"502", "503", "html"}:
            status = 200 if fault.kind == "html" else int(fault.kind)
            return web.Response(status=status, text=_HTML, content_type="text/html")
        if fault.kind in {"secondary", "429"}:
            status = 403 if fault.kind == "secondary" else 429
            body = {"message": _SECONDARY, "documentation_url": "https://docs.github.com/rest"}
            return web.json_response(body, status=status, headers={"Retry-After": str(int(fault.seconds))})
        if fault.kind in {"500", "501"}:
            return web.json_response({"message": "Server Error"}, status=int(fault.kind))
        return None
