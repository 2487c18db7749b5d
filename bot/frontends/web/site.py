"""The console's addresses: the board and the thread, their live stream, and what people say and press there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from bot.chat.message import Message
from bot.chat.request import Surface
from bot.frontends.dispatch import Said, Taken
from bot.frontends.web.assets import Assets
from bot.frontends.web.board import MOST_QUERY, View, needing, piles, waiting
from bot.frontends.web.completion import offers
from bot.frontends.web.forms import form
from bot.frontends.web.gate import HEADERS, Gate, Visitor
from bot.frontends.web.hub import Hub, Log, Sessions
from bot.frontends.web.live import Find, Page, Streams
from bot.frontends.web.notices import Notices
from bot.frontends.web.screens import Pictures, Screens
from bot.frontends.web.templates import Templates
from bot.frontends.web.terminal import Keyboard, Terminals
from bot.frontends.web.thread import NEWEST, Thread, thread
from orchestrator.clock import Clock
from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import Actor
from orchestrator.domain.rights import Decision
from orchestrator.domain.session import Session
from orchestrator.errors import AoError
from orchestrator.services.console import Door
from orchestrator.storage.lanes import Lanes
from orchestrator.storage.logins import Logins

ANSWER_WITHIN = 20.0
"""Seconds after which what still runs is said to be under way."""


class Dispatch(Protocol):
    """What takes people's words; `bot.frontends.dispatch` is the real one."""

    async def command(self, said: Said) -> Taken:
        """A typed command."""

    async def reply(self, said: Said) -> Taken:
        """A reply in a thread."""

    async def press(self, pressed: str, said: Said) -> Taken:
        """A pressed button."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """What the console needs of everything else."""

    sessions: Sessions
    log: Log
    find: Find
    ended: Callable[[], Awaitable[Sequence[Session]]]
    """The newest sessions that have ended."""
    projects: Callable[[], Sequence[str]]
    sees: Callable[[Actor, str], bool]
    """Whether somebody may see a project."""
    operates: Callable[[Actor, str], Decision]
    """Whether somebody may type in a project's terminals."""
    may: Callable[[Actor, Session, str], bool]
    """Whether somebody may ask for a verb about a session."""
    pictures: Pictures
    keyboard: Keyboard
    dispatch: Dispatch
    door: Door
    logins: Logins
    clock: Clock
    home: str
    """Names this `$AO_HOME` among others on the machine."""


@dataclass(slots=True)
class Site:
    """The console. `start` it, mount `routes`, `stop` it before the server."""

    fleet: Fleet
    templates: Templates
    assets: Assets
    gate: Gate
    hub: Hub
    streams: Streams
    terminals: Terminals
    notices: Notices
    """Its notifier."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    async def make(cls, fleet: Fleet, files: Lanes) -> Site:
        """Read templates and assets, and open what is kept of logins."""
        templates = await files.run("console", Templates)
        assets = await files.run("console", Assets)
        await fleet.logins.open(fleet.clock.now())
        gate = Gate(
            door=fleet.door,
            logins=fleet.logins,
            now=fleet.clock.now,
            templates=templates,
            assets=assets,
            home=fleet.home,
        )
        hub = Hub(fleet.sessions, fleet.log)
        notices = Notices(hub.notice)
        streams = Streams(
            hub=hub,
            fleet=fleet.sessions,
            log=fleet.log,
            find=fleet.find,
            templates=templates,
            clock=fleet.clock,
            whole=lambda view, session: site.whole(view, session),
            notices=notices.shown,
        )
        site = cls(fleet, templates, assets, gate, hub, streams, _terminals(fleet, gate), notices)
        hub.start()
        return site

    async def stop(self) -> None:
        """End the streams. Repeatable."""
        self.stopping.set()
        await self.terminals.stop()
        await self.hub.stop()

    def routes(self) -> list[BaseRoute]:
        """Everything that is served."""
        inside = self.gate.let_in
        return [
            Route("/assets/{name}", self.assets.serve),
            Route("/login/{code}", self.gate.show),
            Route("/login/{code}", self.gate.enter, methods=["POST"]),
            Route("/logout", inside(self.gate.leave), methods=["POST"]),
            Route("/", inside(self.page)),
            Route("/s/{session}", inside(self.page)),
            Route("/part/board", inside(self.board)),
            Route("/part/side", inside(self.side)),
            Route("/part/side/{session}", inside(self.side)),
            Route("/live", inside(self.live)),
            Route("/complete", inside(self.complete)),
            Route("/say", inside(self.say), methods=["POST"]),
            Route("/s/{session}/reply", inside(self.reply), methods=["POST"]),
            Route("/press", inside(self.press), methods=["POST"]),
            *self.terminals.routes(lambda: self.stopping),
        ]

    # Looking --------------------------------------------------------------------------------------

    async def page(self, http: HttpRequest, visitor: Visitor) -> Response:
        """The board with a thread beside it, or with what needs somebody."""
        return await self._page(http, visitor, http.path_params.get("session", ""), None)

    async def _page(
        self, http: HttpRequest, visitor: Visitor, session: str, answer: Message | None
    ) -> HTMLResponse:
        view = self._view(http, visitor)
        values = await self._board(view)
        values |= await self._side(view, session)
        values |= {
            "visitor": visitor,
            "projects": self._projects(visitor.actor),
            "missing": self.assets.missing,
            "answer": answer,
        }
        return self.gate.page("console.html", values, 404 if values["lost"] else 200)

    async def board(self, http: HttpRequest, visitor: Visitor) -> Response:
        """The board alone, after its filter was changed."""
        view = self._view(http, visitor)
        session = http.query_params.get("session", "")
        values = await self._board(view) | {"open": session, "waiting": self._waiting(view, session)}
        return self.gate.page("board_part.html", values)

    async def side(self, http: HttpRequest, visitor: Visitor) -> Response:
        """A session's thread, or what needs somebody."""
        view = self._view(http, visitor)
        values = await self._side(view, http.path_params.get("session", ""))
        return self.gate.page("side_part.html", {"view": view, "at": self.hub.at, **values})

    async def whole(self, view: View, session: str) -> str:
        """Everything anew, as parts for a stream."""
        values = await self._board(view) | await self._side(view, session)
        return self.templates.render("whole_parts.html", {"asset": self.assets.path, **values})

    async def _board(self, view: View) -> dict[str, Any]:
        live = self.fleet.sessions.all()
        at = self.hub.at
        known = {session.id for session in live}
        ended = {s.id: s for s in (*await self.fleet.ended(), *self.hub.ended()) if s.id not in known}
        return {
            "view": view,
            "at": at,
            "piles": piles((*live, *ended.values()), view),
            "needing": needing(live, view),
            "notices": self.notices.shown(view),
        }

    def _waiting(self, view: View, session: str) -> Any:  # noqa: ANN401 - for a template
        return None if session else waiting(self.fleet.sessions.all(), view)

    async def _side(self, view: View, session: str) -> dict[str, Any]:
        values: dict[str, Any] = {"open": "", "thread": None, "lost": "", "waiting": None}
        if not session:
            return values | {"waiting": self._waiting(view, "")}
        try:
            made = await self._thread(session, view)
        except AoError as error:
            return values | {"lost": str(error), "waiting": self._waiting(view, "")}
        if view.visible is not None and made.session.project not in view.visible:
            return values | {"lost": f"There is no session {session!r}.", "waiting": self._waiting(view, "")}
        return values | {"open": made.session.id, "thread": made}

    async def _thread(self, name: str, view: View) -> Thread:
        session = await self.fleet.find(name)
        return thread(session, await self.fleet.log.newest(NEWEST, session=SessionId(session.id)), view)

    async def live(self, http: HttpRequest, visitor: Visitor) -> Response:
        """The stream of a page that shows this view and this session, from `at` or where it was cut."""
        at = http.headers.get("Last-Event-ID") or http.query_params.get("at", "")

        async def allowed() -> bool:
            return await self.gate.visitor(http) is not None

        view = self._view(http, visitor)
        session = http.query_params.get("session", "")
        shown = await self._side(view, session) if session else {"open": ""}
        page = Page(view=view, session=shown["open"], allowed=allowed, checked=self.fleet.clock.monotonic())
        stream = self.streams.follow(page, at, self.stopping)
        headers = {**HEADERS, "X-Accel-Buffering": "no"}
        return StreamingResponse(stream, media_type="text/event-stream", headers=headers)

    async def complete(self, http: HttpRequest, visitor: Visitor) -> Response:
        """What the command box may hold next."""
        view = self._view(http, visitor)
        seen = [session for session in self.fleet.sessions.all() if view.shows(session)]
        found = offers(http.query_params.get("text", "")[:MOST_QUERY], seen, self._projects(visitor.actor))
        rows = [{"line": offer.line, "word": offer.word, "hint": offer.hint} for offer in found]
        return JSONResponse(rows, headers=HEADERS)

    def _projects(self, who: Actor) -> list[str]:
        return [project for project in self.fleet.projects() if self.fleet.sees(who, project)]

    def _view(self, http: HttpRequest, visitor: Visitor) -> View:
        query = http.query_params
        everything = self.fleet.projects()
        seen = frozenset(self._projects(visitor.actor))
        return View(
            project=query.get("project", "")[:MOST_QUERY],
            query=query.get("q", "")[:MOST_QUERY].strip(),
            whole=query.get("all") == "1",
            visible=None if seen.issuperset(everything) else seen,
            may=lambda session, verb: self.fleet.may(visitor.actor, session, verb),
        )

    # Saying ---------------------------------------------------------------------------------------

    async def say(self, http: HttpRequest, visitor: Visitor) -> Response:
        """A typed command."""
        said = _said(await form(http), visitor)
        return await self._answer(http, visitor, said, await self.fleet.dispatch.command(said))

    async def press(self, http: HttpRequest, visitor: Visitor) -> Response:
        """A pressed button."""
        pressed = await form(http)
        said = _said(pressed, visitor)
        taken = await self.fleet.dispatch.press(pressed.get("payload", ""), said)
        return await self._answer(http, visitor, said, taken)

    async def reply(self, http: HttpRequest, visitor: Visitor) -> Response:
        """A reply in a thread: its fate is shown there; what went wrong is said at once."""
        said = _said({**await form(http), "session": http.path_params["session"]}, visitor)
        message = await _within(await self.fleet.dispatch.reply(said))
        if "HX-Request" not in http.headers:
            return await self._page(http, visitor, said.session, message)
        values = {"message": message, "failed": _failed(message), "view": View()}
        return self.gate.page("replied.html", values)

    async def _answer(self, http: HttpRequest, visitor: Visitor, said: Said, taken: Taken) -> Response:
        message = await _within(taken)
        if "HX-Request" not in http.headers:
            return await self._page(http, visitor, said.session, message)
        return self.gate.page("answer.html", {"answer": message, "view": View(project=said.project)})


def _terminals(fleet: Fleet, gate: Gate) -> Terminals:
    def live(name: str) -> Session | None:
        return next((session for session in fleet.sessions.all() if session.id == name), None)

    screens = Screens(fleet.pictures, fleet.clock)
    fleet.sessions.listen(screens.hear)
    return Terminals(
        gate=gate,
        screens=screens,
        keyboard=fleet.keyboard,
        find=fleet.find,
        live=live,
        sees=fleet.sees,
        operates=fleet.operates,
        clock=fleet.clock,
    )


def _said(given: Mapping[str, str], visitor: Visitor) -> Said:
    session = given.get("session", "")
    key = given.get("key", "")[:100]
    return Said(
        who=visitor.actor,
        surface=Surface.WEB,
        text=given.get("text", "").replace("\r\n", "\n"),
        project=given.get("project", ""),
        session=session,
        key=f"web:{key}" if key else "",
        place=f"web:{session}" if session else "",
    )


async def _within(taken: Taken) -> Message:
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            return await taken.answer()
    except TimeoutError:
        return Message(title="It is under way.", lines=("The board shows what becomes of it.",), private=True)


def _failed(message: Message) -> bool:
    return isinstance(message.data, dict) and bool(message.data.get("error"))
