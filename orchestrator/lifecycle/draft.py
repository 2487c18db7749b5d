"""A session being changed: the new value and the events that tell of it. Pure.

Everything that changes a session (deciding, reacting, services, acts) does so through a `Draft`, so
that a change and its events are kept in one write.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from orchestrator.domain.event import Event, Level, Scalar
from orchestrator.domain.message import Message
from orchestrator.domain.session import Intent, Session


class Draft:
    """The next value of one session, with its new events."""

    def __init__(self, session: Session, now: float) -> None:
        self.before = session
        self.session = session
        self.now = now
        self.events: list[Event] = []

    def set(self, **fields: Any) -> None:  # noqa: ANN401 - the fields of Session; replace() checks the names
        """Replace fields of the session."""
        self.session = replace(self.session, **fields)

    def tell(self, kind: str, text: str, level: Level = Level.INFO, **data: Scalar) -> None:
        """Add an event. `kind` is its dotted type, `text` one sentence for people."""
        serial = self.session.event_serial + 1
        self.set(event_serial=serial)
        self.events.append(
            Event(
                id=f"{self.session.id}:{serial}",
                type=kind,
                at=self.now,
                project=self.session.project,
                session=self.session.id,
                text=text,
                level=level,
                data=data,
            )
        )

    def enqueue(self, text: str, *, by: str, key: str = "", source: str = "") -> Message:
        """Queue a message to the agent and tell of it."""
        number = self.session.message_serial + 1
        message = Message(
            number=number, text=text, by=by, at=self.now, stage_at=self.now, key=key, source=source
        )
        self.set(message_serial=number, messages=(*self.session.messages, message))
        self.tell("message.received", f"message {number} from {by} is queued", number=number, key=key)
        return message

    def put_message(self, message: Message) -> None:
        """Replace the message with the same number."""
        self.set(messages=tuple(message if m.number == message.number else m for m in self.session.messages))

    def open_intent(self, key: str, **data: str) -> None:
        """Keep that something which cannot be repeated is about to be done."""
        self.close_intent(key)
        self.set(intents=(*self.session.intents, Intent(key=key, at=self.now, data=data)))

    def close_intent(self, key: str) -> None:
        """The outcome is kept with this draft; the intent is over."""
        self.set(intents=tuple(i for i in self.session.intents if i.key != key))
