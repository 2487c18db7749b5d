"""A session's live terminal: the page, its stream of the screen, and the keyboard for those who may type."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from bot.chat.render import state
from bot.frontends.web.forms import form
from bot.frontends.web.gate import CONTENT_POLICY, HEADERS, Gate, Visitor
from bot.frontends.web.keys import pressed
from bot.frontends.web.live import BEAT, Find
from bot.frontends.web.screens import Eye, Screens
from orchestrator.clock import Clock
from orchestrator.domain.coloured import Picture
from orchestrator.domain.ids import SessionId
from orchestrator.domain.look import Look, Seen, Unseen
from orchestrator.domain.person import Actor
from orchestrator.domain.rights import Decision, Denied
from orchestrator.domain.session import Session
from orchestrator.errors import AoError, Conflict, NotAllowed, NotFound
from orchestrator.lifecycle.keyboards import Hold
from orchestrator.ports.runtime import Keys, Text

log = logging.getLogger(__name__)
PAGE_HEADERS = {
    **HEADERS,
    # The terminal's library sets colours and sizes as styles; everything else is as strict as elsewhere.
    "Content-Security-Policy": CONTENT_POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'"),
}
MOST_PASTED = 100_000
_LONGEST_PAGE = 64


class Keyboard(Protocol):
    """Typing in agents' terminals; `orchestrator.services.keyboard` is the real one."""

    def holder(self, session: SessionId) -> Hold | None:
        """Who has it."""

    async def take(self, session: SessionId, page: str, *, by: Actor) -> None:
        """Give it to somebody. Raises `AoError`."""

    async def press(self, session: SessionId, page: str, what: Sequence[Text | Keys], *, by: Actor) -> None:
        """Type. Raises `AoError`."""

    async def give_back(self, session: SessionId, page: str) -> None:
        """Take it from the page. Repeatable."""


@dataclass(slots=True, kw_only=True)
class Watcher:
    """One open page, and what it was sent."""

    session: SessionId
    page: str
    actor: Actor
    allowed: Callable[[], Awaitable[bool]]
    """Whether whoever opened it may still see it."""
    checked: float
    eye: Eye
    picture: Picture | None = None
    said: dict[str, object] = field(default_factory=dict)
    mine: bool = False
    """It had the keyboard when it was told last."""


@dataclass(kw_only=True)
class Terminals:
    """The addresses under `/sessions/<id>/`."""

    gate: Gate
    screens: Screens
    keyboard: Keyboard
    find: Find
    live: Callable[[str], Session | None]
    """A live session as it is now."""
    sees: Callable[[Actor, str], bool]
    operates: Callable[[Actor, str], Decision]
    """Whether somebody may type in a project's terminals."""
    clock: Clock
    _returning: set[asyncio.Task[None]] = field(default_factory=set)

    def routes(self, stopping: Callable[[], asyncio.Event]) -> list[BaseRoute]:
        """`stopping` is set when streams must end."""
        inside = self.gate.let_in

        async def stream(http: HttpRequest, visitor: Visitor) -> Response:
            return await self.stream(http, visitor, stopping())

        return [
            Route("/sessions/{session}/terminal", inside(self.page)),
            Route("/sessions/{session}/screen", inside(stream)),
            Route("/sessions/{session}/keyboard", inside(self.take), methods=["POST"]),
            Route("/sessions/{session}/keys", inside(self.press), methods=["POST"]),
        ]

    async def stop(self) -> None:
        """Look no more, and finish what was begun. Repeatable."""
        await self.screens.stop()
        await asyncio.gather(*self._returning, return_exceptions=True)

    async def page(self, http: HttpRequest, visitor: Visitor) -> Response:
        """The page; what the terminal shows comes by the stream."""
        try:
            session = await self._session(http, visitor)
        except AoError as error:
            return self.gate.page("plain.html", {"title": str(error), "lines": ()}, 404)
        may = not isinstance(self.operates(visitor.actor, session.project), Denied)
        return self.gate.page("terminal.html", {"session": session, "may": may}, headers=PAGE_HEADERS)

    # The screen -----------------------------------------------------------------------------------

    async def stream(self, http: HttpRequest, visitor: Visitor, stopping: asyncio.Event) -> Response:
        """Server-sent events: each says what has changed on the screen and around it."""
        try:
            session = await self._session(http, visitor)
        except AoError as error:
            return JSONResponse({"words": str(error)}, 404, headers=HEADERS)

        async def allowed() -> bool:
            found = await self.gate.visitor(http)
            return found is not None and self.sees(found.actor, session.project)

        watcher = Watcher(
            session=SessionId(session.id),
            page=http.query_params.get("page", "")[:_LONGEST_PAGE],
            actor=visitor.actor,
            allowed=allowed,
            checked=self.clock.monotonic(),
            eye=self.screens.open(SessionId(session.id)),
        )
        headers = {**HEADERS, "X-Accel-Buffering": "no"}
        return StreamingResponse(
            self.follow(watcher, stopping), media_type="text/event-stream", headers=headers
        )

    async def follow(self, watcher: Watcher, stopping: asyncio.Event) -> AsyncIterator[str]:
        """The stream's text. When it ends, its page has the keyboard no more."""
        try:
            yield "retry: 1000\n\n"
            while not stopping.is_set() and await self._still_in(watcher):
                watcher.eye.awake.clear()
                news = self._news(watcher)
                yield f"data: {json.dumps(news)}\n\n" if news else ": still here\n\n"
                await _either(watcher.eye.awake, stopping)
        finally:
            self.screens.close(watcher.eye)
            self._return(watcher)

    def _return(self, watcher: Watcher) -> None:
        """By itself: whoever closes a stream does not wait for it."""
        task = asyncio.create_task(self._give_back(watcher), name="keyboard given back")
        self._returning.add(task)
        task.add_done_callback(self._returning.discard)

    async def _give_back(self, watcher: Watcher) -> None:
        try:
            await self.keyboard.give_back(watcher.session, watcher.page)
        except AoError as error:
            log.warning("not written down: %s", error, extra={"session": watcher.session})
        self.screens.tell(watcher.session)

    async def _still_in(self, watcher: Watcher) -> bool:
        now = self.clock.monotonic()
        if now - watcher.checked < BEAT:
            return True
        watcher.checked = now
        return await watcher.allowed()

    def _news(self, watcher: Watcher) -> dict[str, object]:
        """What the page has not been sent yet; empty where that is nothing."""
        look = self.screens.shown(watcher.session)
        said = self._said(watcher, look)
        news: dict[str, object] = {} if said == watcher.said else {"said": said}
        watcher.said = said
        if isinstance(look, Seen):
            news |= drawn(watcher.picture, look.value)
            watcher.picture = look.value
        return news

    def _said(self, watcher: Watcher, look: Look[Picture] | None) -> dict[str, object]:
        """What stands around the screen."""
        session = self.live(watcher.session)
        hold = self.keyboard.holder(watcher.session)
        mine = hold is not None and hold.page == watcher.page and hold.who == watcher.actor
        if watcher.mine and hold is None:
            self._return(watcher)  # not typed for long: it is free for others
        watcher.mine = mine
        project = session.project if session is not None else ""
        return {
            "state": state(session.status.status) if session is not None else "ended",
            "gone": look.reason if isinstance(look, Unseen) else "",
            "holder": hold.who.name if hold is not None else "",
            "mine": mine,
            "may": session is not None and not isinstance(self.operates(watcher.actor, project), Denied),
        }

    # The keyboard ---------------------------------------------------------------------------------

    async def take(self, http: HttpRequest, visitor: Visitor) -> Response:
        """The button: take the keyboard, or give it back."""
        given = await form(http)

        async def work(session: Session) -> None:
            page = _page(given)
            if given.get("act") == "give":
                await self.keyboard.give_back(SessionId(session.id), page)
            else:
                await self.keyboard.take(SessionId(session.id), page, by=visitor.actor)
            self.screens.tell(SessionId(session.id))

        return await self._do(http, visitor, work)

    async def press(self, http: HttpRequest, visitor: Visitor) -> Response:
        """What somebody typed (`data`, as a terminal sends it) or pasted (`paste`)."""
        given = await form(http)

        async def work(session: Session) -> None:
            what = pressed(given.get("data", ""))
            pasted = given.get("paste", "")[:MOST_PASTED]
            typed: list[Text | Keys] = [what] if what else []
            if pasted:
                typed.append(Text(text=pasted, submit=False))
            await self.keyboard.press(SessionId(session.id), _page(given), typed, by=visitor.actor)
            self.screens.hurry()

        return await self._do(http, visitor, work)

    async def _do(
        self, http: HttpRequest, visitor: Visitor, work: Callable[[Session], Awaitable[None]]
    ) -> Response:
        """Let an operator do it; what is wrong is said in words."""
        try:
            session = await self._session(http, visitor)
            decision = self.operates(visitor.actor, session.project)
            if isinstance(decision, Denied):
                msg = f"{visitor.actor.name} may not type here: {decision.missing}."
                raise NotAllowed(msg, next_step=decision.next_step)
            await work(session)
        except AoError as error:
            return JSONResponse({"words": str(error)}, _status(error), headers=HEADERS)
        return JSONResponse({"words": ""}, headers=HEADERS)

    async def _session(self, http: HttpRequest, visitor: Visitor) -> Session:
        """The session, if this person may see it. Raises `NotFound`."""
        name = http.path_params["session"]
        session = await self.find(name)
        if not self.sees(visitor.actor, session.project):
            msg = f"There is no session {name!r}."
            raise NotFound(msg)
        return session


def drawn(before: Picture | None, now: Picture) -> dict[str, object]:
    """What has changed between two pictures: the size, the cursor, and lines by their number."""
    news: dict[str, object] = {}
    same_size = before is not None and (before.columns, before.rows) == (now.columns, now.rows)
    if before is None or not same_size:
        news["size"] = [now.columns, now.rows]
        before = replace(now, lines=(), cursor=(-1, -1))
    old = (*before.lines, *[""] * (now.rows - len(before.lines)))
    new = (*now.lines, *[""] * (now.rows - len(now.lines)))
    changed = [[row, line] for row, (line, was) in enumerate(zip(new, old, strict=False)) if line != was]
    if changed:
        news["lines"] = changed
    if news or before.cursor != now.cursor:
        news["cursor"] = list(now.cursor) if now.cursor else None
    return news


def _page(given: dict[str, str]) -> str:
    return given.get("page", "")[:_LONGEST_PAGE]


def _status(error: AoError) -> int:
    match error:
        case NotAllowed():
            return 403
        case NotFound():
            return 404
        case Conflict():
            return 409
        case _:
            return 503


async def _either(awake: asyncio.Event, stopping: asyncio.Event) -> None:
    """Wait for news, for the end, or for the next beat."""
    waits = [asyncio.create_task(awake.wait()), asyncio.create_task(stopping.wait())]
    try:
        await asyncio.wait(waits, timeout=BEAT, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
