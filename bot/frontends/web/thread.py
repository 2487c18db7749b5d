"""A session's thread as a page shows it: its card, then one entry for each thing that was told, oldest first."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from bot.chat.card import card
from bot.chat.message import Message
from bot.chat.story import Entry, entries
from bot.frontends.web.board import View
from orchestrator.domain.event import LoggedEvent
from orchestrator.domain.session import Session

NEWEST = 300
"""Events of a session that a thread is made of; older ones are asked for with `events`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """What is shown of a session."""

    session: Session
    card: Message
    entries: tuple[Entry, ...]
    cut: bool
    """There were older events."""


def thread(session: Session, events: Iterable[LoggedEvent], view: View) -> Thread:
    """The thread of a session from its newest events, oldest first, with what its reader may press."""
    told = tuple(events)
    found: dict[str, Entry] = {}
    for logged in told:
        for entry in entries(logged, session):
            earlier = found.get(entry.about)
            if earlier is not None or not entry.only_edit:
                # It stays where, and when, it was first told.
                found[entry.about] = entry if earlier is None else replace(entry, at=earlier.at)
    shown = tuple(replace(entry, message=view.offered(entry.message, session)) for entry in found.values())
    return Thread(
        session=session,
        card=view.offered(card(session), session),
        entries=shown,
        cut=len(told) >= NEWEST,
    )


def anchor(about: str) -> str:
    """The id that an entry has in the page, whatever it is about."""
    return f"e-{hashlib.sha256(about.encode()).hexdigest()[:12]}"
