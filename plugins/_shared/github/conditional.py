"""Things read by REST that seldom change: asked for with the ETag of what is kept, at most once in a while.

A 304 costs nothing of the limit. An ETag is kept together with what was read under it, never before:
an answer that could not be used is asked for whole again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from plugins._shared.github.client import GitHub, Json

T = TypeVar("T")
FRESH = 300.0
"""Seconds for which what is kept is not asked for again."""
_MOST = 500


@dataclass(slots=True)
class _Kept(Generic[T]):
    value: T
    etag: str
    at: float


class Conditional:
    """What was read of one client, the most recent `_MOST` of it."""

    def __init__(self, hub: GitHub) -> None:
        self._hub = hub
        self._kept: dict[tuple[str, str], _Kept[Any]] = {}

    async def get(
        self,
        path: str,
        read: Callable[[Json], T],
        *,
        query: Mapping[str, str | int] | None = None,
        fresh: float = FRESH,
    ) -> T:
        """What `read` makes of the document at `path`. Raises as `GitHub.rest` does, and what `read` raises."""
        key = (path, repr(sorted((query or {}).items())))
        kept: _Kept[T] | None = self._kept.get(key)
        now = self._hub.now()
        if kept is not None and 0 <= now - kept.at < fresh:
            return kept.value
        answer = await self._hub.rest("GET", path, query=query, etag=kept.etag if kept else "")
        if kept is not None and not answer.fresh:
            kept.at = now
            return kept.value
        value = read(answer.data)
        self._kept.pop(key, None)
        self._kept[key] = _Kept(value, answer.etag, now)
        while len(self._kept) > _MOST:
            del self._kept[next(iter(self._kept))]
        return value

    def forget(self, path: str) -> None:
        """Ask for it next time; what is kept stays for a 304."""
        for key, kept in self._kept.items():
            if key[0] == path:
                kept.at = -1e18
