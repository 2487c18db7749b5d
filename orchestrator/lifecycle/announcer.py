"""Tells notifiers what happened: each reads the event log from its own kept position.

At least once, in order; a notifier that fails backs off alone and loses nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Protocol

from orchestrator.attention import routing
from orchestrator.clock import Clock
from orchestrator.domain.event import Event, Level, LoggedEvent
from orchestrator.domain.rules import Rules
from orchestrator.errors import AoError, TemporaryError
from orchestrator.lifecycle.backoff import STEPS
from orchestrator.ports.notifier import Notifier

log = logging.getLogger(__name__)
POSITION = "notified"
LIMIT = 60.0
"""Seconds that one delivery may take."""


class Log(Protocol):
    """What is read of the event log."""

    @property
    def last_seq(self) -> int:
        """Number of the newest event."""

    def follow(self, after: int) -> AsyncIterator[LoggedEvent]:
        """Every event with a greater number, then each new one."""


class Positions(Protocol):
    """Where each notifier's position is kept."""

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - JSON of any shape
        """A kept value."""

    async def set(self, name: str, value: Any) -> None:  # noqa: ANN401 - JSON of any shape
        """Keep a value."""


class Announcer:
    """One task for each notifier."""

    def __init__(
        self,
        *,
        log: Log,
        positions: Positions,
        clock: Clock,
        rules: Callable[[str], Rules | None],
        heard_by: Callable[[Level], Sequence[str]],
    ) -> None:
        self._log = log
        self._positions = positions
        self._clock = clock
        self._rules = rules
        self._heard_by = heard_by
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.trouble: dict[str, str] = {}
        """Why a notifier is behind, by its name."""

    def use(self, notifiers: Mapping[str, Notifier]) -> None:
        """From now on tell these; others that were told before are let go."""
        for name in self._tasks.keys() - notifiers.keys():
            self._tasks.pop(name).cancel()
        for name, notifier in notifiers.items():
            if name not in self._tasks:
                task = asyncio.create_task(self._run(name, notifier), name=f"notifier {name}")
                self._tasks[name] = task

    async def stop(self) -> None:
        """Stop telling; positions are kept, so the next start goes on."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, name: str, notifier: Notifier) -> None:
        while True:
            try:
                await self._follow(name, notifier)
            except AoError as error:
                # The position could not be kept: from the one that is, under the same keys.
                self.trouble[name] = str(error)
                log.warning("notifications wait: %s", error, extra={"plugin": name})
                await self._clock.sleep(STEPS[4])
            else:
                return  # the log is closed

    async def _follow(self, name: str, notifier: Notifier) -> None:
        key = f"{POSITION}:{name}"
        # A notifier that is new hears of what happens from now on, not of the past.
        after = self._positions.get(key)
        if after is None:
            after = self._log.last_seq
            await self._positions.set(key, after)
        async for logged in self._log.follow(int(after)):
            if await self._tell(name, notifier, logged):
                await self._positions.set(key, logged.seq)

    async def _tell(self, name: str, notifier: Notifier, logged: LoggedEvent) -> bool:
        """Deliver one event if it is for this notifier; True when it was tried, so the position moves."""
        at = self._level(logged.event)
        if at is None or name not in self._heard_by(at):
            return False
        failures = 0
        while True:
            try:
                async with asyncio.timeout(LIMIT):
                    await notifier.notify(routing.notification(logged, at, self._rules(logged.event.project)))
            except (TemporaryError, TimeoutError) as error:
                failures += 1
                self.trouble[name] = str(error) or f"no answer within {LIMIT:.0f} s"
                delay = error.delay if isinstance(error, TemporaryError) else 0.0
                await self._clock.sleep(max(delay, STEPS[min(failures, len(STEPS)) - 1]))
            except AoError as error:
                # It will not take this one; the next may pass. The reason stays visible in doctor.
                self.trouble[name] = str(error)
                log.warning("notification refused: %s", error, extra={"plugin": name})
                return True
            except Exception as error:
                # A defect of the notifier's: this one is lost to it, and the reason is seen.
                self.trouble[name] = f"{type(error).__name__}: {error}"
                log.exception("notification failed", extra={"plugin": name})
                return True
            else:
                self.trouble.pop(name, None)
                return True

    def _level(self, event: Event) -> Level | None:
        return routing.level(event, self._rules(event.project))
