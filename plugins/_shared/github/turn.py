"""The turn of each call: it waits until the budget lets it begin, or is refused with the reason.

turns = Turns(budget, now)
await turns.take("rest", "GET /user", write=False)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from orchestrator.errors import TemporaryError
from plugins._shared.github.budget import Budget

CONTENT_WAIT = 90.0
"""Seconds that something which makes content waits for its turn at most."""
MOMENT = 3.0
"""The same for a read: the first pause of an outage, and the call that tries whether it is over."""


class Turns:
    """Of one budget."""

    def __init__(self, budget: Budget, now: Callable[[], float]) -> None:
        self._budget = budget
        self._now = now
        self._content = asyncio.Lock()

    async def take(self, kind: str, what: str, *, write: bool) -> None:
        """Return when the call may begin. Raises `TemporaryError` where that would take long."""
        if not write:
            await self._wait_for(kind, what, MOMENT, write=False)
            return
        async with self._content:  # first come, first served
            await self._wait_for(kind, what, CONTENT_WAIT, write=True)

    async def _wait_for(self, kind: str, what: str, most: float, *, write: bool) -> None:
        waited = 0.0
        while True:
            wait, why = self._budget.hold(kind, self._now(), write=write)
            if not wait:
                break
            if waited + wait > most:
                msg = f"{self._budget.host} is not asked now: {why} ({what})."
                raise TemporaryError(msg, delay=wait)
            await asyncio.sleep(wait)
            waited += wait
        self._budget.began(kind, self._now(), write=write)
