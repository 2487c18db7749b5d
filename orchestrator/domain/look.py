"""A look at the outside world: what was seen, or the reason why it could not be seen.

"Could not look" is a value, not an exception and not `None`: it must never be read as "dead".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Seen(Generic[T]):
    """The look succeeded."""

    value: T


@dataclass(frozen=True, slots=True)
class Unseen:
    """The look failed; `reason` says why, in words for a person."""

    reason: str


Look: TypeAlias = Seen[T] | Unseen
