"""What plugins of any slot can tell of the limits that outside services set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """What is left of a limit that an outside service sets."""

    name: str
    """`github.com graphql`."""
    limit: int
    remaining: int
    resets_at: float
    """Epoch seconds."""
    calls: int = 0
    """Calls of ours since the start."""
    words: str = ""
    """A forecast where it matters: `limit in 22 min; slowed to 90 s`; empty: all is well."""


@runtime_checkable
class Metered(Protocol):
    """A plugin whose outside service counts our calls."""

    def meters(self) -> Sequence[Meter]:
        """What is left of each limit, as last heard. Makes no call."""
