"""Tells notifiers what happened: each reads the event log from its own kept position.

At least once, in order; a notifier that fails backs off alone and loses nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
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


class _Hearer:
    """One instance that is told, under one name."""

    def __init__(self, notifier: Notifier) -> None:
        self.notifier = notifier
        self.busy = False
        """It delivers just now, or keeps that it did: what is begun is ended, so that nothing comes twice."""
        self.leaving = False
        self.task: asyncio.Task[None]

    def leave(self) -> None:
        """Deliver nothing more."""
        self.leaving = True
        if not self.busy:
            self.task.cancel()


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
        forget: Callable[[Notifier], None] = lambda _notifier: None,
    ) -> None:
        """`forget` is told of an instance before it is closed, so that nobody is given it again."""
        self._log = log
        self._positions = positions
        self._clock = clock
        self._rules = rules
        self._heard_by = heard_by
        self._forget = forget
        self._hearers: dict[str, _Hearer] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._telling: set[asyncio.Task[None]] = set()
        self._closing: set[asyncio.Task[None]] = set()
        self.trouble: dict[str, str] = {}
        """Why a notifier is behind, by its name."""

    def use(self, notifiers: Mapping[str, Notifier]) -> None:
        """From now on tell these. Instances that were told before and are not among them are closed."""
        gone = {name: h for name, h in self._hearers.items() if notifiers.get(name) is not h.notifier}
        for name, hearer in gone.items():
            del self._hearers[name]
            self.trouble.pop(name, None)
            hearer.leave()
        unused = {id(h.notifier): h.notifier for h in gone.values()}
        for notifier in notifiers.values():
            unused.pop(id(notifier), None)
        for notifier in unused.values():
            self._forget(notifier)
            last = [h.task for h in gone.values() if h.notifier is notifier]
            _in_background(_close(notifier, last), "closing a notifier", self._closing)
        for name, notifier in notifiers.items():
            if name not in self._hearers:
                hearer = self._hearers[name] = _Hearer(notifier)
                work = self._run(name, hearer)
                hearer.task = _in_background(work, f"notifier {name}", self._telling)

    async def stop(self) -> None:
        """Stop telling; positions are kept, so the next start goes on."""
        self._hearers.clear()
        for task in self._telling:
            task.cancel()
        await asyncio.gather(*self._telling, *self._closing, return_exceptions=True)

    async def _run(self, name: str, hearer: _Hearer) -> None:
        # One at a time under a name: the former may still be delivering.
        async with self._turns[name]:
            while not hearer.leaving:
                try:
                    await self._follow(name, hearer)
                except AoError as error:
                    # The position could not be kept: from the one that is, under the same keys.
                    self.trouble[name] = str(error)
                    log.warning("notifications wait: %s", error, extra={"plugin": name})
                    await self._clock.sleep(STEPS[4])
                else:
                    return  # the log is closed

    async def _follow(self, name: str, hearer: _Hearer) -> None:
        key = f"{POSITION}:{name}"
        # A notifier that is new hears of what happens from now on, not of the past.
        after = self._positions.get(key)
        if after is None:
            after = self._log.last_seq
            await self._positions.set(key, after)
        async for logged in self._log.follow(int(after)):
            at = self._level(logged.event)
            if at is None or name not in self._heard_by(at):
                continue
            failures = 0
            while (delay := await self._try(name, hearer, logged, at)) is not None:
                failures += 1
                await self._clock.sleep(max(delay, STEPS[min(failures, len(STEPS)) - 1]))
            if hearer.leaving:
                return

    async def _try(self, name: str, hearer: _Hearer, logged: LoggedEvent, at: Level) -> float | None:
        """Deliver one event and keep that it was; the least wait before it is tried again, or None."""
        hearer.busy = True
        try:
            delay = await self._tell(name, hearer.notifier, logged, at)
            if delay is None:
                await self._positions.set(f"{POSITION}:{name}", logged.seq)
        finally:
            hearer.busy = False
        if hearer.leaving:
            self.trouble.pop(name, None)
            return None
        return delay

    async def _tell(self, name: str, notifier: Notifier, logged: LoggedEvent, at: Level) -> float | None:
        try:
            async with asyncio.timeout(LIMIT):
                await notifier.notify(routing.notification(logged, at, self._rules(logged.event.project)))
        except (TemporaryError, TimeoutError) as error:
            self.trouble[name] = str(error) or f"no answer within {LIMIT:.0f} s"
            return error.delay if isinstance(error, TemporaryError) else 0.0
        except AoError as error:
            # It will not take this one; the next may pass. The reason stays visible in doctor.
            self.trouble[name] = str(error)
            log.warning("notification refused: %s", error, extra={"plugin": name})
        except Exception as error:
            # A defect of the notifier's: this one is lost to it, and the reason is seen.
            self.trouble[name] = f"{type(error).__name__}: {error}"
            log.exception("notification failed", extra={"plugin": name})
        else:
            self.trouble.pop(name, None)
        return None

    def _level(self, event: Event) -> Level | None:
        return routing.level(event, self._rules(event.project))


def _in_background(
    work: Coroutine[Any, Any, None], name: str, among: set[asyncio.Task[None]]
) -> asyncio.Task[None]:
    task = asyncio.create_task(work, name=name)
    among.add(task)
    task.add_done_callback(among.discard)
    return task


async def _close(notifier: Notifier, last: Sequence[asyncio.Task[None]]) -> None:
    """Let go of an instance once nobody tells it any more."""
    await asyncio.gather(*last, return_exceptions=True)
    try:
        await notifier.aclose()
    except Exception:
        log.exception("notifier not closed")
