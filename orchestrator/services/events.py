"""The event log as people and programs read it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from orchestrator.domain.event import LoggedEvent
from orchestrator.domain.ids import SessionId
from orchestrator.services.core import Core

MOST = 1_000


async def read(core: Core, after: int = 0, limit: int = 100, session: str = "") -> list[LoggedEvent]:
    """Events with a greater number than `after`, oldest first; `after` below 0 counts from the newest."""
    start = after if after >= 0 else max(0, core.store.log.last_seq + after)
    return list(await core.store.log.read(start, _bounded(limit), session=_session(session)))


async def newest(core: Core, limit: int = 100, session: str = "") -> list[LoggedEvent]:
    """The last `limit` events, of one session wherever they lie in the log; oldest first."""
    return list(await core.store.log.newest(_bounded(limit), session=_session(session)))


def _bounded(limit: int) -> int:
    return max(1, min(limit, MOST))


def _session(name: str) -> SessionId | None:
    return SessionId(name) if name else None


def follow(core: Core, after: int = 0) -> AsyncIterator[LoggedEvent]:
    """Every event after that number, and then each new one as it is kept."""
    return core.store.log.follow(after)
