"""Scripts, styles and the icon: read once, served from memory under a name that changes with their content."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

from starlette.requests import Request as HttpRequest
from starlette.responses import Response

_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
NEEDED = ("htmx.js", "hx-sse.js")
"""Libraries without which the pages can only be read."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file."""

    content: bytes
    kind: str
    digest: str


class Assets:
    """Made in a thread: it reads files."""

    def __init__(self) -> None:
        here = resources.files("bot.frontends.web")
        self._files = {
            item.name: _asset(item)
            for folder in ("static", "vendor")
            for item in _files(here / folder)
            if item.name.rpartition(".")[2] in _TYPES
        }
        self.missing = tuple(name for name in NEEDED if name not in self._files)

    def path(self, name: str) -> str:
        """Where a file is served."""
        asset = self._files.get(name)
        return f"/assets/{name}?v={asset.digest}" if asset else f"/assets/{name}"

    async def serve(self, http: HttpRequest) -> Response:
        """A file; nobody needs to be logged in for it."""
        asset = self._files.get(http.path_params["name"])
        if asset is None:
            return Response("There is no such file.", status_code=404, media_type="text/plain")
        same = http.query_params.get("v") == asset.digest
        lasting = "public, max-age=31536000, immutable" if same else "no-cache"
        return Response(asset.content, headers={"Cache-Control": lasting, "Content-Type": asset.kind})


def _asset(item: Traversable) -> Asset:
    content = item.read_bytes()
    kind = _TYPES[item.name.rpartition(".")[2]]
    return Asset(content, kind, hashlib.sha256(content).hexdigest()[:12])


def _files(folder: Traversable) -> list[Traversable]:
    return [item for item in folder.iterdir() if item.is_file()] if folder.is_dir() else []
