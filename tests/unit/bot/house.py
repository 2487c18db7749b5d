"""A fleet for the bot's tests: real storage and settings, sessions that only services change, no ring."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeAlias

from bot.actions.runner import Actions
from bot.chat.message import Message
from orchestrator.domain.ids import ProjectId
from orchestrator.domain.session import Session
from orchestrator.errors import NotFound, NotReady
from orchestrator.lifecycle.draft import Draft
from orchestrator.ports.session_ref import SessionRef
from orchestrator.registry import Registry
from orchestrator.services.core import Core
from orchestrator.services.settings_now import SettingsNow
from orchestrator.storage.lanes import Lanes
from orchestrator.storage.layout import Home
from orchestrator.storage.store import Store
from orchestrator.testing.fakes.clock import FakeClock
from orchestrator.testing.fakes.runtime import FakeRuntime

Configured: TypeAlias = tuple[Home, SettingsNow, Registry]
"""A home, a configuration with the project `demo`, and a registry without plugins."""

Ask: TypeAlias = Callable[..., Awaitable[Message]]
"""A verb with its arguments by name."""


def data(message: Message) -> Any:
    """A message's data."""
    return message.data


def rows(message: Message) -> tuple[tuple[str, ...], ...]:
    """The rows of a message's table."""
    return message.table.rows if message.table else ()


class Threads:
    """What of the world services need here: threads for files."""

    def __init__(self) -> None:
        self.files = Lanes(1, "test-files")
        self.terminals = FakeRuntime()

    def ref(self, _session: Session) -> SessionRef:
        msg = "nothing is looked at here."
        raise NotReady(msg)

    def runtime(self, _session: Session) -> FakeRuntime:
        return self.terminals


class StillFleet:
    """Sessions that only services change: nothing looks, decides or acts."""

    def __init__(self, store: Store, clock: FakeClock) -> None:
        self.world = Threads()
        self._store = store
        self._clock = clock
        self.sessions: dict[str, Session] = {}
        self.gate: asyncio.Event | None = None
        """Changes wait for it, where a test wants one to take its time."""

    def put(self, session: Session) -> None:
        self.sessions[session.id] = session

    def live(self, project: ProjectId | None = None) -> tuple[Session, ...]:
        return tuple(s for s in self.sessions.values() if project in (None, s.project))

    all = live

    def get(self, session: str) -> Session:
        if session not in self.sessions:
            msg = f"there is no running session {session}."
            raise NotFound(msg)
        return self.sessions[session]

    async def change(self, session: str, how: Callable[[Draft], object]) -> Session:
        if self.gate is not None:
            await self.gate.wait()
        draft = Draft(self.get(session), self._clock.now())
        how(draft)
        kept = await self._store.keeper.keep(replace(draft.session, outbox=tuple(draft.events)))
        self.sessions[session] = kept
        return kept

    def wake(self, session: str | None = None) -> None:
        del session


class House:
    """A core and its verbs."""

    def __init__(self, core: Core, fleet: StillFleet) -> None:
        self.core = core
        self.fleet = fleet
        self.actions = Actions(core)
