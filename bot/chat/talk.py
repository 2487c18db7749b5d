"""One session's conversation on one surface, brought up to date: its card, then what its thread lacks.

The intent to post is kept before, the outcome after: after a crash what was being posted is looked up on the
surface, and only if it is not there posted again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from bot.chat.card import card, digest
from bot.chat.message import Message
from bot.chat.room import CARD, Room, Spot
from bot.chat.story import Entry, entries, held_entries, question_entry
from orchestrator.domain.conversation import Conversation, Post
from orchestrator.domain.event import LoggedEvent
from orchestrator.domain.session import Session
from orchestrator.errors import NotFound

Write = Callable[[Conversation], Awaitable[None]]
"""Keeps the conversation. Raises `TemporaryError`."""


@dataclass(slots=True, kw_only=True)
class Talk:
    """What is not told yet. Lives only while there is something."""

    session: Session
    """As it was last seen."""
    pending: deque[LoggedEvent] = field(default_factory=deque)
    stale: bool = True
    """The card may show something that is no more."""
    failures: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when something is added."""

    @property
    def due(self) -> bool:
        """Something is to be told."""
        return self.stale or bool(self.pending)


class Teller:
    """Brings one conversation up to date on its surface."""

    def __init__(self, room: Room, talk: Talk, kept: Conversation, write: Write, now: float) -> None:
        self._room = room
        self._talk = talk
        self._write = write
        self._now = now
        self.kept = kept

    @property
    def _spot(self) -> Spot:
        return Spot(self.kept.channel, self.kept.card)

    async def tell(self) -> None:
        """Post and edit what is due but the card's edit. Raises `AoError`: what is told by then is kept."""
        channel = self.kept.channel or self._room.channel(self._talk.session)
        if not channel:
            self._talk.pending.clear()
            self._talk.stale = False
            return
        await self._look_up()
        if not self.kept.card:
            await self._open(channel)
        while self._talk.pending:
            logged = self._talk.pending[0]
            if logged.seq > self.kept.after:
                await self._tell(logged)
            self._talk.pending.popleft()

    async def show(self) -> bool:
        """Bring the card up to date; whether it was edited."""
        message = card(self._talk.session)
        name = digest(message)
        self._talk.stale = False
        if not self.kept.card or name == self.kept.shown:
            return False
        try:
            await self._room.edit(Spot(self.kept.channel), self.kept.card, _card_entry(message, self._now))
        except NotFound:
            await self._anew()
            return True
        except BaseException:
            self._talk.stale = True
            raise
        await self._keep(replace(self.kept, shown=name))
        return True

    async def _look_up(self) -> None:
        """What was being posted when we crashed: it is there, or it is not."""
        about = self.kept.opening
        if not about:
            return
        spot = Spot(self.kept.channel) if about == CARD else self._spot
        found = await self._room.find(spot, self._key(about), self.kept.opening_at)
        if found is None:
            await self._keep(replace(self.kept, opening="", opening_at=0.0))
        elif about == CARD:
            await self._keep(replace(self.kept, card=found, opening="", opening_at=0.0))
        else:
            await self._keep(self.kept.with_post(about, Post(id=found)))

    async def _open(self, channel: str) -> None:
        message = card(self._talk.session)
        await self._keep(replace(self.kept, channel=channel, opening=CARD, opening_at=self._now))
        posted = await self._room.post(Spot(channel), _card_entry(message, self._now), self._key(CARD))
        await self._keep(
            replace(self.kept, card=posted, shown=digest(message), opening="", opening_at=0.0, posts={})
        )

    async def _tell(self, logged: LoggedEvent) -> None:
        for entry in entries(logged, self._talk.session):
            await self._put(entry)
        if self.kept.after < logged.seq:
            self.kept = replace(self.kept, after=logged.seq)

    async def _put(self, entry: Entry) -> None:
        """Post it, or put it in place of the earlier one about the same."""
        earlier = self.kept.posts.get(entry.about)
        name = digest(entry.message)
        if earlier is not None and earlier.digest == name:
            return
        if earlier is None and entry.only_edit:
            return
        if earlier is not None:
            try:
                await self._room.edit(self._spot, earlier.id, entry)
            except NotFound:
                self.kept = self.kept.without_post(
                    entry.about
                )  # taken away there: what still matters comes anew
                if not entry.message.buttons:
                    return
            else:
                await self._keep(self.kept.with_post(entry.about, Post(id=earlier.id, digest=name)))
                return
        await self._keep(replace(self.kept, opening=entry.about, opening_at=self._now))
        try:
            posted = await self._room.post(self._spot, entry, self._key(entry.about))
        except NotFound:
            await self._anew()
            posted = await self._room.post(self._spot, entry, self._key(entry.about))
        await self._keep(self.kept.with_post(entry.about, Post(id=posted, digest=name)))

    async def _anew(self) -> None:
        """The card is gone there, and its thread with it: a new one, with what is still open."""
        self.kept = Conversation(after=self.kept.after)
        await self._open(self._room.channel(self._talk.session))
        question = self._talk.session.question
        if question is not None:
            await self._put(question_entry(self._talk.session, question))
        for entry in held_entries(self._talk.session):
            if entry.message.buttons:
                await self._put(entry)

    async def _keep(self, conversation: Conversation) -> None:
        await self._write(conversation)
        self.kept = conversation

    def _key(self, about: str) -> str:
        return f"{self._talk.session.id}/{about}"


def _card_entry(message: Message, now: float) -> Entry:
    return Entry(about=CARD, message=message, at=now)
