"""The stream of an open page: changed cards and new entries as parts of the page (server-sent events for hx-sse)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from bot.chat.story import Entry
from bot.frontends.web.board import Card, Column, View, card_of, column, needing, waiting
from bot.frontends.web.hub import Ear, Hub, Log, Sessions
from bot.frontends.web.notices import calls
from bot.frontends.web.templates import Templates
from bot.frontends.web.thread import NEWEST, Thread, thread
from orchestrator.clock import Clock
from orchestrator.domain.event import LoggedEvent
from orchestrator.domain.ids import SessionId
from orchestrator.domain.notification import Notification
from orchestrator.domain.session import Session

_LINE_END = re.compile(r"\r\n|\r|\n")
PACE = 0.1
"""Seconds between two parts of a stream, at least: what changes in between is shown together."""
BEAT = 20.0
"""Seconds of silence after which the stream says that it is there."""
Find = Callable[[str], Awaitable[Session]]
"""A session by its id, live or ended. Raises `NotFound`."""


@dataclass(frozen=True, slots=True)
class Move:
    """A card whose place in the page has changed."""

    card: Card
    column: Column
    stays: bool
    """It stands in its column already, and only its text changes."""
    shown: bool
    """It fits what this page wants to see."""
    first: bool
    """It comes to the top of its column."""


@dataclass(slots=True, kw_only=True)
class Page:
    """What one page shows, as far as the stream has to know."""

    view: View
    session: str
    allowed: Callable[[], Awaitable[bool]]
    """Whether whoever opened it may still see it."""
    checked: float
    """Monotonic time at which that was asked last."""
    columns: dict[SessionId, Column] = field(default_factory=dict)
    """Where cards stand that the stream has put there, or that have not moved since the page was made."""
    events: list[LoggedEvent] = field(default_factory=list)
    told: dict[str, Entry] = field(default_factory=dict)
    ended: bool = False
    """Whether the open session had ended when the page was told last."""


@dataclass(kw_only=True)
class Streams:
    """Makes the streams of all pages."""

    hub: Hub
    fleet: Sessions
    log: Log
    find: Find
    templates: Templates
    clock: Clock
    whole: Callable[[View, str], Awaitable[str]]
    """Everything anew: the board and the thread, as parts."""
    notices: Callable[[View], tuple[Notification, ...]] = lambda _view: ()
    """What stands above the board."""

    async def follow(self, page: Page, at: str, stopping: asyncio.Event) -> AsyncIterator[str]:
        """The stream's text, until the page goes, its login ends or the server stops."""
        ear, known = self.hub.open(page.session, at)
        try:
            await self._begin(page, ear)
            yield ": here\n\n"
            if not known:
                yield _event(self.hub.at, await self.whole(page.view, page.session))
            elif page.session and ear.awake.is_set():
                yield _event(self.hub.at, await self._thread_anew(page))
            while await self._something(ear, stopping) and await self._still_in(page):
                if ear.awake.is_set():
                    yield _event(self.hub.at, self._parts(page, ear))
                    await self.clock.sleep(PACE)
                else:
                    yield ": still here\n\n"
        finally:
            self.hub.close(ear)

    async def _begin(self, page: Page, ear: Ear) -> None:
        page.columns = {
            session.id: column(session)
            for session in self.fleet.all()
            if session.id not in ear.changed and page.view.shows(session)
        }
        if page.session:
            page.events = list(await self.log.newest(NEWEST, session=SessionId(page.session)))
            made = await self._thread(page)
            page.told = {entry.about: entry for entry in made.entries}
            # With news since the page was made, how it stood then is not known: its box is told again.
            page.ended = made.session.ended and made.session.id not in ear.changed

    async def _still_in(self, page: Page) -> bool:
        """Whether the page's login holds; looked at now and then."""
        now = self.clock.monotonic()
        if now - page.checked < BEAT:
            return True
        page.checked = now
        return await page.allowed()

    async def _something(self, ear: Ear, stopping: asyncio.Event) -> bool:
        """Wait for news, for the next beat, or for the end (False)."""
        if stopping.is_set():
            return False
        if ear.awake.is_set():
            return True
        waits = [asyncio.create_task(ear.awake.wait()), asyncio.create_task(stopping.wait())]
        try:
            await asyncio.wait(waits, timeout=BEAT, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return not stopping.is_set()

    def _parts(self, page: Page, ear: Ear) -> str:
        """What has changed, as parts of the page."""
        sessions, events, notices = ear.take()
        moves = [self._move(page, session) for session in sessions]
        page.events += events
        open_one = next((s for s in sessions if s.id == page.session), None)
        if open_one is None and events:
            open_one = next((s for s in self.fleet.all() if s.id == page.session), None)
        made, fresh, edited = self._entries(page, open_one)
        values = {
            "moves": moves,
            "piles": self.counts(page.view) if moves else (),
            "waiting": None if page.session or not moves else waiting(self.fleet.all(), page.view),
            "needing": needing(self.fleet.all(), page.view),
            "notices": self.notices(page.view) if notices else None,
            "calls": calls(notices, page.view),
            "view": page.view,
            "open": page.session,
            "thread": made,
            "anew": self._turned(page, made),
            "fresh": fresh,
            "edited": edited,
            "said": [move.card for move in moves if move.shown and not move.stays and move.card.asks],
        }
        return self.templates.render("parts.html", values)

    def _turned(self, page: Page, made: Thread | None) -> bool:
        """Whether the open session has come to its end, or back from it, since the page was told last."""
        if made is None or made.session.ended is page.ended:
            return False
        page.ended = made.session.ended
        return True

    def counts(self, view: View) -> tuple[tuple[Column, int], ...]:
        """How many cards stand in each column."""
        found = dict.fromkeys(Column, 0)
        for session in (*self.fleet.all(), *self.hub.ended()):
            if view.shows(session):
                found[column(session)] += 1
        return tuple(found.items())

    def _move(self, page: Page, session: Session) -> Move:
        place = column(session)
        shown = page.view.shows(session)
        stays = shown and page.columns.get(session.id) is place
        if shown:
            page.columns[session.id] = place
        else:
            page.columns.pop(session.id, None)
        return Move(card_of(session, page.view), place, stays, shown, place is not Column.NEEDS)

    def _entries(
        self, page: Page, session: Session | None
    ) -> tuple[Thread | None, tuple[Entry, ...], tuple[Entry, ...]]:
        """The open thread's new entries, and those that show something else now."""
        if session is None:
            return None, (), ()
        made = thread(session, page.events, page.view)
        fresh = tuple(entry for entry in made.entries if entry.about not in page.told)
        edited = tuple(e for e in made.entries if e.about in page.told and page.told[e.about] != e)
        page.told = {entry.about: entry for entry in made.entries}
        return made, fresh, edited

    async def _thread(self, page: Page) -> Thread:
        return thread(await self.find(page.session), page.events, page.view)

    async def _thread_anew(self, page: Page) -> str:
        made = await self._thread(page)
        return self.templates.render("thread_anew.html", {"thread": made})


def _event(at: str, text: str) -> str:
    """One server-sent event. Its id is where the page goes on from when the stream was cut."""
    lines = "\n".join(f"data: {line}" for line in _LINE_END.split(text))
    return f"id: {at}\n{lines}\n\n"
