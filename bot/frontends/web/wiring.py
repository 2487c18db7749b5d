"""The console over a real fleet: what it needs of services, storage and the other chat surfaces' shared half."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from bot.chat.desk import Desk
from bot.chat.request import Surface
from bot.frontends.web.board import NEWEST_DONE
from bot.frontends.web.site import Dispatch, Fleet, Site
from orchestrator.clock import Clock
from orchestrator.domain.person import Actor
from orchestrator.domain.session import Session
from orchestrator.services import ended, sessions
from orchestrator.storage import logins

if TYPE_CHECKING:
    from orchestrator.services.core import Core


class Ended:
    """The newest ended sessions, read from their folders once a change of the fleet may have added some."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._found: tuple[Session, ...] | None = None
        self._live: frozenset[str] = frozenset()
        self._reading = asyncio.Lock()

    async def newest(self) -> Sequence[Session]:
        """The newest of all projects, newest first."""
        async with self._reading:
            live = frozenset(session.id for session in self._core.fleet.all())
            if self._found is None or not live >= self._live:
                self._found = tuple(await ended.listed(self._core, most=NEWEST_DONE))
            self._live = live
            return self._found


async def open_site(
    core: Core,
    dispatch: Dispatch,
    desk: Desk,
    sees: Callable[[Actor, str], bool],
    clock: Clock | None = None,
) -> Site:
    """The console, made and listening to the fleet. What a crash cut off on it is given up: its page is asked again."""
    for record in desk.unanswered(Surface.WEB):
        await desk.give_up(record.id)

    async def find(name: str) -> Session:
        return await sessions.one(core, name)

    fleet = Fleet(
        sessions=core.fleet,
        log=core.store.log,
        find=find,
        ended=Ended(core).newest,
        projects=lambda: core.settings.now.project_ids,
        sees=sees,
        dispatch=dispatch,
        door=core.door,
        logins=logins.Logins(core.home.path / logins.FILE, core.files),
        clock=clock or core.clock,
        home=str(core.home.path),
    )
    return await Site.make(fleet, core.files)
