"""The console over a real fleet: what it needs of services, storage and the other chat surfaces' shared half."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from typing_extensions import override

from bot.actions import registry
from bot.chat.access import Access
from bot.chat.desk import Desk
from bot.chat.request import Surface
from bot.frontends.web.board import NEWEST_DONE
from bot.frontends.web.site import Dispatch, Fleet, Site
from bot.frontends.web.terminal import Keyboard
from orchestrator.clock import Clock
from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import Actor
from orchestrator.domain.rights import Allowed, Role
from orchestrator.domain.session import Session
from orchestrator.lifecycle.keyboards import Hold
from orchestrator.ports.runtime import Keys, Text
from orchestrator.services import ended, keyboard, pictures, sessions

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


class Typing(Keyboard):
    """The keyboards of a fleet."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @override
    def holder(self, session: SessionId) -> Hold | None:
        return self._core.fleet.keyboards.of(session, self._core.clock.now())

    @override
    async def take(self, session: SessionId, page: str, *, by: Actor) -> None:
        await keyboard.take(self._core, session, page, by=by)

    @override
    async def press(self, session: SessionId, page: str, what: Sequence[Text | Keys], *, by: Actor) -> None:
        await keyboard.press(self._core, session, page, what, by=by)

    @override
    async def give_back(self, session: SessionId, page: str) -> None:
        await keyboard.give_back(self._core, session, page)


def _may(access: Access, who: Actor, session: Session, verb: str) -> bool:
    """Whether asking for it would be allowed: as `bot.actions.runner` decides, requesters included."""
    action = registry.load(verb)
    own = action.requesters and access.people.same(session.created_by, access.acting(who, Surface.WEB))
    needed = Role.VIEWER if own else action.role
    return isinstance(access.decide(who, needed, session.project, owners=action.owners), Allowed)


async def open_site(
    core: Core,
    dispatch: Dispatch,
    desk: Desk,
    access: Access,
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
        sees=access.sees,
        operates=lambda who, project: access.decide(who, Role.OPERATOR, project),
        may=lambda who, session, verb: _may(access, who, session, verb),
        pictures=lambda wanted: pictures.pictures(core, wanted),
        keyboard=Typing(core),
        dispatch=dispatch,
        door=core.door,
        logins=core.logins,
        clock=clock or core.clock,
        home=str(core.home.path),
    )
    return await Site.make(fleet, core.files)
