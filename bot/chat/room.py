"""What a chat surface does for conversations: posts, edits, finds again. One file a surface implements it.

The contract tests in `tests/contracts/room_contract.py` run over every one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.chat.story import Entry
from orchestrator.domain.session import Session

CARD = "card"
"""What the card's entry is about."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where something is posted: a channel, and in it the thread under a card."""

    channel: str
    thread: str = ""
    """Empty: in the channel itself."""


class Room(Protocol):
    """A chat surface. Each call ends within the surface's own time limit.

    Raises `TemporaryError` (with the delay, where the surface names one) when it is worth trying again,
    `NotFound` when the message, thread or channel is gone there, another `AoError` when it is refused.
    """

    @property
    def surface(self) -> str:
        """Its name: `slack`."""

    @property
    def pace(self) -> float:
        """Seconds between two edits of one card, at least; what changes in between is shown together."""

    def channel(self, session: Session) -> str:
        """Where the session's card belongs; empty: nowhere on this surface."""

    async def post(self, spot: Spot, entry: Entry, key: str) -> str:
        """Post an entry; returns the message's id. `key` goes with it, unseen, so that `find` knows it."""

    async def edit(self, spot: Spot, post: str, entry: Entry) -> None:
        """Put an entry in place of what a message of ours shows."""

    async def find(self, spot: Spot, key: str, since: float) -> str | None:
        """The message that was posted there with that key after `since` (epoch seconds), or None."""
