"""How long what failed waits before it is tried again; one counter for each session and act. Pure.

It forgets at a restart: everything is then tried at once.
"""

from __future__ import annotations

from orchestrator.domain.ids import SessionId
from orchestrator.errors import AoError, Conflict, NotAllowed, PermanentError, SignedOut, TemporaryError

Key = tuple[SessionId, str]
STEPS = (1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 21.0, 34.0, 55.0, 89.0, 144.0)
"""Seconds; the last one is repeated."""
UNFORESEEN = 5
"""An error that nobody foresaw is tried so often, then counts as refused."""


class Backoff:
    """Failures in a row."""

    def __init__(self) -> None:
        self._failures: dict[Key, tuple[int, float, float]] = {}
        """How many in a row, when the last one was, and how long it waits."""

    def ready(self, key: Key, now: float) -> bool:
        """Whether it may be tried (again). A clock that stepped back does not hold it."""
        _, at, wait = self._failures.get(key, (0, now, 0.0))
        return not 0 <= now - at < wait

    def failed(self, key: Key, error: AoError, now: float) -> bool:
        """Count a failure; whether to give up instead of trying again."""
        count = self._failures.get(key, (0, 0.0, 0.0))[0] + 1
        wait = STEPS[min(count, len(STEPS)) - 1]
        if isinstance(error, TemporaryError):
            wait = max(wait, error.delay)
        self._failures[key] = (count, now, wait)
        if isinstance(error, TemporaryError):
            return False
        # A credential that is not taken may be renewed by the next try; a right that lacks comes from a person.
        refused = isinstance(error, PermanentError | Conflict | NotAllowed) and not isinstance(
            error, SignedOut
        )
        return refused or count >= UNFORESEEN

    def clear(self, key: Key) -> None:
        """It succeeded."""
        self._failures.pop(key, None)

    def forget(self, session: SessionId) -> None:
        """The session has ended."""
        for key in [k for k in self._failures if k[0] == session]:
            del self._failures[key]
