"""A chat surface in memory, for tests: what it was told, and the faults that a surface has."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.chat.room import Spot
from bot.chat.story import Entry
from orchestrator.domain.session import Session
from orchestrator.errors import AoError, NotFound, TemporaryError


@dataclass(slots=True)
class Shown:
    """A message as people see it."""

    id: str
    spot: Spot
    entry: Entry
    key: str
    at: float
    edits: int = 0


@dataclass(slots=True)
class FakeRoom:
    """Implements `bot.chat.room.Room`."""

    surface: str = "slack"
    pace: float = 0.0
    now: float = 0.0
    shown: dict[str, Shown] = field(default_factory=dict)
    """What is there, by id."""
    failing: list[AoError] = field(default_factory=list)
    """Raised by the next calls, one each, before anything is done."""
    cut: list[AoError] = field(default_factory=list)
    """Raised by the next posts after they were done: the answer was lost."""
    nowhere: bool = False
    """No channel is bound."""
    calls: list[str] = field(default_factory=list)
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def channel(self, session: Session) -> str:
        """One for each project."""
        return "" if self.nowhere else f"C-{session.project}"

    async def post(self, spot: Spot, entry: Entry, key: str) -> str:
        """Show it."""
        self._call(f"post {entry.about}")
        if spot.thread and spot.thread not in self.shown:
            msg = "the thread is gone."
            raise NotFound(msg)
        name = str(next(self._ids))
        self.shown[name] = Shown(name, spot, entry, key, self.now)
        if self.cut:
            raise self.cut.pop(0)
        return name

    async def edit(self, spot: Spot, post: str, entry: Entry) -> None:
        """Show this instead."""
        self._call(f"edit {entry.about}")
        found = self.shown.get(post)
        if found is None or found.spot != spot:
            msg = "the message is gone."
            raise NotFound(msg)
        found.entry = entry
        found.edits += 1

    async def find(self, spot: Spot, key: str, since: float) -> str | None:
        """Look it up."""
        self._call(f"find {key}")
        del since
        return next((s.id for s in self.shown.values() if s.spot == spot and s.key == key), None)

    def delete(self, post: str) -> None:
        """A person takes a message away, and the thread under it."""
        del self.shown[post]
        for name in [s.id for s in self.shown.values() if s.spot.thread == post]:
            del self.shown[name]

    def about(self, name: str) -> list[Shown]:
        """The messages that are about something."""
        return [shown for shown in self.shown.values() if shown.entry.about == name]

    def _call(self, words: str) -> None:
        self.calls.append(words)
        if self.failing:
            raise self.failing.pop(0)


def down(delay: float = 1.0) -> TemporaryError:
    """The surface does not answer."""
    msg = "the surface does not answer."
    return TemporaryError(msg, delay=delay)
