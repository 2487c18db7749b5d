"""What every dialect does: reads a request, and words an answer whole, in pieces, or as an error."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from bot.demo.model_answer import Answer
from bot.demo.model_conversation import Ask, Json

_PIECE = 24
"""Letters in one piece of a stream."""


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event. Before a `piece` there may be a pause."""

    data: Json | str
    name: str = ""
    piece: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as it came."""

    path: str
    headers: Mapping[str, str]
    """With names in lower case."""
    body: Json
    size: int


class Dialect(Protocol):
    """One API."""

    def read(self, request: Request) -> Ask:
        """What is asked. Raises `KeyError`, `TypeError` or `AttributeError` when it is not in this dialect."""

    def whole(self, ask: Ask, answer: Answer) -> Json:
        """The answer in one body."""

    def stream(self, ask: Ask, answer: Answer) -> Iterator[Event]:
        """The answer in pieces."""

    def error(self, status: int, words: str) -> Json:
        """The body that goes with an HTTP status."""


def pieces(text: str) -> Iterator[str]:
    """A text cut up as a model would send it."""
    return (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))


def new_id(prefix: str) -> str:
    """An identity that nothing else has."""
    return f"{prefix}_{uuid.uuid4().hex[:24]}"
