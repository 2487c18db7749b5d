"""Messages to an agent: numbered, queued, and followed until answered or failed with a reason."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum


class MessageStage(StrEnum):
    """How far a message has come. Only `FAILED` and `ANSWERED` are the end."""

    RECEIVED = "received"
    """Kept in the session's document; waits for the agent's prompt."""
    TYPING = "typing"
    """The intent is kept; whether it was typed is not known yet."""
    TYPED = "typed"
    ACCEPTED = "accepted"
    """The agent's own signal says that it has the text."""
    WORKING = "working"
    ANSWERED = "answered"
    """The agent's turn with this message ended."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message from a person or a reaction to the agent."""

    number: int
    """Counts up within the session; never reused."""
    text: str
    by: str
    """Who: a person's name, or `reaction ci-failed`."""
    at: float
    stage: MessageStage = MessageStage.RECEIVED
    stage_at: float = 0.0
    tries: int = 0
    reason: str = ""
    """Why it waits, or why it failed."""
    key: str = ""
    """What it is about, so that it is sent once: `ci-failed:<head sha>`. Empty for a person's."""
    receipt_at: float = 0.0
    """When the agent got it, by its own word; that word serves no other message. 0 before."""
    source: str = ""
    """A chat's own name for what a person posted: `slack:C1:17.5`. It is shown there how far it is."""


def digest(text: str) -> str:
    """A short name of a text, equal however a terminal wrapped or padded it."""
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:16]


OPEN_STAGES = frozenset(
    {
        MessageStage.RECEIVED,
        MessageStage.TYPING,
        MessageStage.TYPED,
        MessageStage.ACCEPTED,
        MessageStage.WORKING,
    }
)
"""A message in one of these still needs looking after."""
