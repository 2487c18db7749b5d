"""Who types in which agent's terminal from a page of the console: while somebody does, nothing of ours is typed there. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import Actor

IDLE = 120.0
"""Seconds without a key after which whoever has a keyboard has it no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Somebody has a keyboard."""

    who: Actor
    page: str
    """Which of their pages: closing it gives the keyboard back."""
    at: float
    """When they took it, or typed last."""
    pressed: int = 0
    """Keys and pastes so far; what they were is kept nowhere."""


class Keyboards:
    """All keyboards that are held. In memory: a restart gives them back, and pages are told so."""

    def __init__(self) -> None:
        self._held: dict[SessionId, Hold] = {}

    def of(self, session: SessionId, now: float) -> Hold | None:
        """Who has it; nobody where they have not typed for long."""
        hold = self._held.get(session)
        # A clock that stepped back ends no hold.
        return hold if hold is not None and now - hold.at < IDLE else None

    def take(self, session: SessionId, hold: Hold) -> None:
        """From now on they have it."""
        self._held[session] = hold

    def typed(self, session: SessionId, count: int, now: float) -> None:
        """Whoever has it has typed."""
        hold = self._held[session]
        self._held[session] = replace(hold, at=now, pressed=hold.pressed + count)

    def give_back(self, session: SessionId, page: str) -> Hold | None:
        """The page has it no more; what it had. Repeatable."""
        hold = self._held.get(session)
        return self._held.pop(session) if hold is not None and hold.page == page else None
