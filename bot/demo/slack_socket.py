"""Socket Mode of the fake Slack: sockets, envelopes, acknowledgements, and events that are delivered again."""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from bot.demo.slack_refusals import Json
from bot.demo.slack_workspace import APP_ID, BOT, TEAM

MOST_SOCKETS = 10
Note = Callable[..., Awaitable[None]]
"""Adds a line to the log."""


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds: how long an app may take to acknowledge, and after what pauses an event comes again."""

    ack: float = 3.0
    retries: tuple[float, ...] = (0.0, 60.0, 300.0)

    def scaled(self, factor: float) -> Times:
        """With shorter pauses; the time to acknowledge stays."""
        return Times(self.ack, tuple(pause * factor for pause in self.retries))


class NotAcknowledged(Exception):
    """The app did not answer an envelope: nobody was connected, or nothing came in time."""

    def __init__(self, why: str = "no socket is connected") -> None:
        super().__init__(why)


@dataclass(eq=False, slots=True)
class _Socket:
    response: web.WebSocketResponse
    request: web.Request
    retired: bool = False
    """It was asked to go: it gets nothing new while there is another."""
    waiting: dict[str, asyncio.Future[Json | None]] = field(default_factory=dict)

    def cut(self) -> None:
        """End it as a broken network does."""
        if self.request.transport is not None:
            self.request.transport.abort()


class SocketMode:
    """The sockets of the one app."""

    def __init__(self, times: Times, note: Note) -> None:
        self.times = times
        self.repeat = 0
        """How often each event is delivered again although it was acknowledged."""
        self.opened = 0
        """Sockets that were ever connected."""
        self._note = note
        self._tickets: set[str] = set()
        self._sockets: list[_Socket] = []
        self._turn = itertools.count()
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()

    @property
    def connected(self) -> int:
        """Sockets that take part."""
        return sum(not socket.retired for socket in self._sockets)

    async def wait_opened(self, number: int) -> None:
        """Until that many sockets were connected in all."""
        while self.opened < number:
            await self._changed.wait()

    def ticket(self) -> str:
        """Admits one socket."""
        ticket = secrets.token_hex(8)
        self._tickets.add(ticket)
        return ticket

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One socket, until it ends."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.json_response({"ok": False, "error": "invalid_ticket"}, status=403)
        self._tickets.remove(ticket)
        response = web.WebSocketResponse()
        await response.prepare(request)
        if len(self._sockets) >= MOST_SOCKETS:
            await response.send_json(
                {"type": "disconnect", "reason": "too_many_websockets", "debug_info": {}}
            )
            await response.close()
            return response
        socket = _Socket(response, request)
        await response.send_json(self._hello())
        self._sockets.append(socket)
        self._count(opened=1)
        try:
            await self._read(socket)
        finally:
            self._sockets.remove(socket)
            for waiter in socket.waiting.values():
                if not waiter.done():
                    waiter.set_exception(NotAcknowledged("the socket ended"))
            self._count()
        return response

    def _hello(self) -> Json:
        info = {"app_id": APP_ID}
        return {
            "type": "hello",
            "num_connections": len(self._sockets) + 1,
            "connection_info": info,
            "debug_info": {},
        }

    def _count(self, opened: int = 0) -> None:
        self.opened += opened
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _read(self, socket: _Socket) -> None:
        async for message in socket.response:
            if message.type is not WSMsgType.TEXT or not message.data.startswith("{"):
                continue
            data = json.loads(message.data)
            envelope = str(data.get("envelope_id"))
            waiter = socket.waiting.get(envelope)
            if waiter is None or waiter.done():
                await self._note(kind="late ack", envelope_id=envelope)
            else:
                waiter.set_result(data.get("payload"))

    # What goes out.

    async def ask(self, kind: str, payload: Json) -> Json:
        """Deliver a command or an interaction, once; the answer's payload. Raises `NotAcknowledged`."""
        return await self._deliver(kind, payload, {"accepts_response_payload": True}) or {}

    def tell(self, event: Json) -> None:
        """Deliver an event in the background, again and again while it is not acknowledged."""
        payload = {
            "type": "event_callback",
            "team_id": TEAM,
            "api_app_id": APP_ID,
            "event": event,
            "event_id": f"Ev{secrets.token_hex(5).upper()}",
            "event_time": int(float(event["event_ts"])),
            "authorizations": [{"team_id": TEAM, "user_id": BOT, "is_bot": True}],
        }
        task = asyncio.get_running_loop().create_task(self._tell(payload))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self, payload: Json) -> None:
        again = 0
        for attempt, pause in enumerate((0.0, *self.times.retries)):
            if attempt:
                await asyncio.sleep(pause)
            retried = {"retry_attempt": attempt, "retry_reason": "timeout"} if attempt else {}
            try:
                await self._deliver("events_api", payload, {"accepts_response_payload": False, **retried})
            except NotAcknowledged:
                continue
            again += 1
            if again > self.repeat:
                return
        if not again:
            await self._note(kind="event lost", event_id=payload["event_id"])

    async def _deliver(self, kind: str, payload: Json, more: Json) -> Json | None:
        socket = self._next()
        envelope = str(uuid.uuid4())
        noted = {"kind": kind, "envelope_id": envelope, "attempt": more.get("retry_attempt", 0)}
        if socket is None:
            await self._note(**noted, acked=False, why="no socket is connected")
            raise NotAcknowledged
        waiter = asyncio.get_running_loop().create_future()
        socket.waiting[envelope] = waiter
        try:
            await socket.response.send_json(
                {"envelope_id": envelope, "type": kind, "payload": payload, **more}
            )
            answer: Json | None = await asyncio.wait_for(waiter, self.times.ack)
        except (TimeoutError, ConnectionError, NotAcknowledged) as error:
            why = str(error) or f"nothing came within {self.times.ack:g} s"
            await self._note(**noted, acked=False, why=why)
            raise NotAcknowledged(why) from error
        finally:
            socket.waiting.pop(envelope, None)
        await self._note(**noted, acked=True)
        return answer

    def _next(self) -> _Socket | None:
        """Each payload goes to one socket; which, an app cannot know."""
        able = [socket for socket in self._sockets if not socket.retired] or self._sockets
        return able[next(self._turn) % len(able)] if able else None

    # How sockets end.

    async def refresh(self, reason: str = "refresh_requested") -> None:
        """Ask the app for new sockets, as Slack does every few hours."""
        for socket in list(self._sockets):
            socket.retired = True
            await socket.response.send_json({"type": "disconnect", "reason": reason, "debug_info": {}})

    def cut(self) -> None:
        """End all sockets as a broken network does."""
        for socket in list(self._sockets):
            socket.retired = True
            socket.cut()

    async def close(self) -> None:
        """End everything: what is in the air is given up."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for socket in list(self._sockets):
            await socket.response.close()
