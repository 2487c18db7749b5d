"""How the ring is doing: rounds so far, how long they took, when the last one ended. Read by health and metrics."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Pulse:
    """Counted since this process started."""

    rounds: int = 0
    failed: int = 0
    seconds: float = 0.0
    """All rounds together."""
    last_seconds: float = 0.0
    ended_at: float | None = None
    """On the machine's monotonic clock; None before the first."""

    def ended(self, began: float, now: float, *, failed: bool = False) -> None:
        """A round ended; both times are of the monotonic clock, in seconds."""
        self.rounds += 1
        self.failed += failed
        self.last_seconds = now - began
        self.seconds += self.last_seconds
        self.ended_at = now

    def age(self, now: float) -> float | None:
        """Seconds since the last round ended; None before the first."""
        return None if self.ended_at is None else now - self.ended_at
