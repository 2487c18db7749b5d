"""Values as GitHub writes them, read with care: times, logins, who may be believed. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.domain.outside_text import one_line

Node = Mapping[str, Any]
"""An object of an answer."""

_TRUSTED = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
_TEXT = 20_000


def moment(text: object) -> float:
    """Epoch seconds of an ISO 8601 time; 0 for none or one that cannot be read."""
    if not isinstance(text, str):
        return 0.0
    try:
        return datetime.datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0.0


def node(value: object) -> Node:
    """An object that may be absent: what is not one has no fields."""
    return value if isinstance(value, Mapping) else {}


def nodes(connection: object) -> list[Node]:
    """The rows of a list; those that may not be seen are left out."""
    rows = node(connection).get("nodes")
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def text(value: object) -> str:
    """A text, or nothing."""
    return value if isinstance(value, str) else ""


def whole(value: object) -> int:
    """A number, or 0."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def label(value: object, limit: int = 100) -> str:
    """A name from outside, on one line and bounded."""
    return one_line(text(value), limit)


def login(actor: object) -> str:
    """Who; an account that is gone is GitHub's `ghost`."""
    return label(node(actor).get("login")) or "ghost"


def is_bot(actor: object) -> bool:
    """An App, by its kind of account or by the name that only Apps can have."""
    return node(actor).get("__typename") == "Bot" or login(actor).endswith("[bot]")


def is_trusted(said: Node) -> bool:
    """Whoever wrote it belongs to the project, or is an App, which its owners let in."""
    return said.get("authorAssociation") in _TRUSTED or node(said.get("author")).get("__typename") == "Bot"


def names(words: Iterable[str]) -> str:
    """`a, b and c`."""
    rows = list(dict.fromkeys(words))
    return " and ".join(filter(None, (", ".join(rows[:-1]), rows[-1]))) if rows else ""
