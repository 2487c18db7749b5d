"""The board: which session stands in which column, in which order, and what its card says. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import urlencode

from bot.chat.card import card
from bot.chat.message import Button, Message
from bot.chat.offers import buttons
from bot.chat.render import EMOJI, needs_person, task_words
from orchestrator.domain.outside_text import one_line
from orchestrator.domain.session import Session
from orchestrator.domain.status import Status

FOLDED_AT = 200
"""Cards of a column that are shown before somebody asks for all."""
NEWEST_DONE = 50
MOST_WAITING = 50
"""Rows in the list of what needs somebody; the board and the search have the others."""
MOST_QUERY = 200


class Column(StrEnum):
    """A column, by the name that people read."""

    NEEDS = "needs you"
    WORKING = "working"
    REVIEW = "in review"
    READY = "ready to merge"
    DONE = "done"

    @property
    def slug(self) -> str:
        """As part of an id in the page."""
        return self.value.replace(" ", "-")


class Tone(StrEnum):
    """What a state's colour says, beside its word."""

    ASKS = "asks"
    BAD = "bad"
    GOOD = "good"
    BUSY = "busy"
    QUIET = "quiet"


_COLUMN = {
    Status.WAITING_INPUT: Column.NEEDS,
    Status.STUCK: Column.NEEDS,
    Status.ERRORED: Column.NEEDS,
    Status.PR_OPEN: Column.REVIEW,
    Status.CI_FAILED: Column.REVIEW,
    Status.REVIEW_PENDING: Column.REVIEW,
    Status.CHANGES_REQUESTED: Column.REVIEW,
    Status.CONFLICTED: Column.REVIEW,
    Status.APPROVED: Column.READY,
    Status.MERGEABLE: Column.READY,
    Status.MERGING: Column.READY,
    Status.MERGED: Column.DONE,
    Status.DONE: Column.DONE,
    Status.KILLED: Column.DONE,
}
"""Every other state is work."""

_TONE = {
    Status.WAITING_INPUT: Tone.ASKS,
    Status.REVIEW_PENDING: Tone.ASKS,
    Status.STUCK: Tone.BAD,
    Status.ERRORED: Tone.BAD,
    Status.CI_FAILED: Tone.BAD,
    Status.CONFLICTED: Tone.BAD,
    Status.CHANGES_REQUESTED: Tone.BUSY,
    Status.WORKING: Tone.BUSY,
    Status.MERGING: Tone.BUSY,
    Status.SPAWNING: Tone.BUSY,
    Status.APPROVED: Tone.GOOD,
    Status.MERGEABLE: Tone.GOOD,
    Status.MERGED: Tone.GOOD,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A session on the board."""

    id: str
    project: str
    title: str
    emoji: str
    state: str
    tone: Tone
    since: float
    agent: str
    pull_request: str
    need: str
    """What is needed now, or why it is where it is; empty where its state says all."""
    asks: bool
    """It goes on only if somebody does something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pile:
    """A column with what is shown in it."""

    column: Column
    cards: tuple[Card, ...]
    count: int
    """How many there are, also those that are not shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What somebody wants to see of the board."""

    project: str = ""
    query: str = ""
    whole: bool = False
    """Columns are not folded."""
    visible: frozenset[str] | None = None
    """The projects that this person may see; None: all."""
    may: Callable[[Session, str], bool] | None = None
    """Whether this person may ask for a verb about a session; None: for every one."""

    @property
    def search(self) -> str:
        """As the query of an address, with its question mark; empty where there is nothing to say."""
        given = {"project": self.project, "q": self.query, "all": "1" if self.whole else ""}
        found = urlencode({name: value for name, value in given.items() if value})
        return f"?{found}" if found else ""

    @property
    def with_all(self) -> View:
        """Likewise, with no column folded."""
        return replace(self, whole=True)

    def allows(self, session: Session, verb: str) -> bool:
        """Whether this person may ask for the verb there."""
        return self.may is None or self.may(session, verb)

    def offered(self, message: Message, session: Session) -> Message:
        """The message with those buttons alone that this person may press."""

        def kept(found: tuple[Button, ...]) -> tuple[Button, ...]:
            return tuple(button for button in found if self.allows(session, button.verb))

        return replace(message, buttons=kept(message.buttons), menu=kept(message.menu))

    def asked(self, session: Session) -> bool:
        """Whether it waits for somebody, and this person can do something about it."""
        if session.ended or not needs_person(session):
            return False
        verbs = [button.verb for button in buttons(session)] or ["send"]
        return any(self.allows(session, verb) for verb in verbs)

    def shows(self, session: Session) -> bool:
        """Whether the session fits."""
        if self.visible is not None and session.project not in self.visible:
            return False
        if self.project and session.project != self.project:
            return False
        return all(word in _text(session) for word in self.query.lower().split())


def column(session: Session) -> Column:
    """Where the session stands."""
    status = session.status.status
    if session.ended and status is not Status.ERRORED:
        return Column.DONE
    place = _COLUMN.get(status, Column.WORKING)
    gone = place in {Column.WORKING, Column.REVIEW} and needs_person(session)
    return Column.NEEDS if gone and status is not Status.REVIEW_PENDING else place


def card_of(session: Session, view: View | None = None) -> Card:
    """What the board says of a session."""
    status = session.status.status
    lines = card(session).lines
    asks = (view or View()).asked(session)
    tone = _TONE.get(status, Tone.QUIET)
    return Card(
        id=session.id,
        project=session.project,
        title=task_words(session, 120),
        emoji=EMOJI[status],
        state=status.value.replace("_", " "),
        tone=Tone.BAD if column(session) is Column.NEEDS and tone is not Tone.ASKS else tone,
        since=session.status.since,
        agent=one_line(session.parts.agent, 30),
        pull_request=f"#{session.change.pr.number}" if session.change else "",
        need=one_line(lines[-1], 160) if lines else "",
        asks=asks,
    )


def piles(sessions: Iterable[Session], view: View) -> tuple[Pile, ...]:
    """The columns. What asks stands longest first, everything else newest first."""
    found: dict[Column, list[Session]] = {place: [] for place in Column}
    for session in sessions:
        if view.shows(session):
            found[column(session)].append(session)
    return tuple(_pile(place, standing, view) for place, standing in found.items())


def _pile(place: Column, standing: list[Session], view: View) -> Pile:
    oldest_first = place is Column.NEEDS
    standing.sort(key=lambda session: session.status.since, reverse=not oldest_first)
    most = NEWEST_DONE if place is Column.DONE else FOLDED_AT
    shown = standing if view.whole else standing[:most]
    return Pile(column=place, cards=tuple(card_of(session, view) for session in shown), count=len(standing))


def waiting(sessions: Iterable[Session], view: View) -> tuple[Card, ...]:
    """What needs somebody, whatever its column; who waits longest comes first."""
    found = [s for s in sessions if view.asked(s) and view.shows(s)]
    longest = sorted(found, key=lambda session: session.status.since)[:MOST_WAITING]
    return tuple(card_of(session, view) for session in longest)


def needing(sessions: Iterable[Session], view: View) -> int:
    """How many need somebody."""
    return sum(1 for s in sessions if view.asked(s) and view.shows(s))


def _text(session: Session) -> str:
    change = session.change
    parts = (
        session.id,
        session.task.title or session.task.prompt[:500],
        f"#{session.task.issue}" if session.task.issue else "",
        session.branch,
        session.parts.agent,
        session.status.status.value.replace("_", " "),
        f"#{change.pr.number} {change.pr.title}" if change else "",
    )
    return " ".join(parts).lower()
