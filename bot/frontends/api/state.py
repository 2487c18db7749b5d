"""`/healthz`, `/metrics` and `/api/v1/openapi.json`: for machines that watch over ours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot.chat.desk import Desk
from bot.frontends.api.door import Door
from bot.frontends.api.guard import asked_here
from bot.frontends.chat import Figures
from orchestrator.services import credentials, health, meters, webhooks

if TYPE_CHECKING:
    from orchestrator.lifecycle.announcer import Announcer
    from orchestrator.lifecycle.pulse import Pulse
    from orchestrator.services.core import Core


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The handlers. Without a token only for who asks from this machine, where only this machine can."""

    core: Core
    pulse: Pulse
    desk: Desk
    door: Door
    version: str
    loopback: bool
    """The listener is reached from this machine only."""
    threads: ThreadPoolExecutor
    announcer: Announcer | None = None
    figures: Callable[[], Sequence[Figures]] = tuple
    """Chat surfaces in numbers."""

    def routes(self) -> list[BaseRoute]:
        """Their paths."""
        return [
            Route("/healthz", self.healthz),
            Route("/metrics", self.metrics),
            Route("/api/v1/openapi.json", self.openapi),
        ]

    async def healthz(self, http: HttpRequest) -> Response:
        """200 while the fleet is looked after, else 503; with the reasons.

        A chat that is away makes nothing worse for agents: it is named under `degraded`.
        """
        await self._let_in(http)
        found = await health.problems(self.core, self.pulse)
        behind = [*credentials.words(self.core), *health.degraded(self.core), *meters.words(self.core)]
        data = {
            "ok": not found,
            "reasons": found,
            "degraded": behind,
            "limits": meters.rows(self.core),
            "webhooks": dict(webhooks.rows(self.core)),
            "version": self.version,
        }
        return JSONResponse(data, status_code=503 if found else 200)

    async def metrics(self, http: HttpRequest) -> Response:
        """The numbers, as Prometheus reads them."""
        await self._let_in(http)
        loop = asyncio.get_running_loop()
        content, kind = await loop.run_in_executor(self.threads, self._numbers())
        return Response(content, headers={"Content-Type": kind})

    async def openapi(self, http: HttpRequest) -> Response:
        """What can be asked and what is answered, as OpenAPI."""
        await self._let_in(http)
        content = await asyncio.get_running_loop().run_in_executor(self.threads, _document, self.version)
        return Response(content, media_type="application/json")

    async def _let_in(self, http: HttpRequest) -> None:
        if not (self.loopback and asked_here(http.scope)):
            await self.door.asker(http)

    def _numbers(self) -> Callable[[], tuple[bytes, str]]:
        """Counted now, in the loop; put into words elsewhere, as the library takes its time to be loaded."""
        statuses = [session.status.status.value for session in self.core.fleet.all()]
        pulse, desk, seq = self.pulse, self.desk, self.core.store.log.last_seq
        requests = {outcome: desk.ended[outcome] for outcome in ("done", "failed")}
        told = tuple(self.core.settings.now.notifiers)
        trouble = tuple(self.announcer.trouble) if self.announcer else ()
        chats = tuple(self.figures())
        age = pulse.age(self.core.clock.monotonic())
        limits = meters.meters(self.core)
        deliveries = dict(self.core.hooks.deliveries)

        def text() -> tuple[bytes, str]:
            from bot.frontends.api import metrics

            numbers = metrics.Numbers(
                version=self.version,
                statuses=statuses,
                ticks=pulse.rounds,
                ticks_failed=pulse.failed,
                tick_seconds=pulse.seconds,
                last_tick_seconds=pulse.last_seconds,
                last_tick_age=age,
                events=seq,
                requests=requests,
                requests_running=desk.running,
                notifiers=told,
                notifiers_in_trouble=trouble,
                limits=limits,
                webhook_deliveries=deliveries,
                conversations_behind={one.surface: one.behind for one in chats},
                calls={one.surface: one.calls for one in chats},
            )
            return metrics.text(numbers), metrics.CONTENT_TYPE

        return text


def _document(version: str) -> bytes:
    from bot.frontends.api import openapi

    return json.dumps(openapi.openapi(version)).encode()
