"""A personal token: somebody's rights for a program or another machine, until it is taken back or expires."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from orchestrator.domain.person import OWNER, Actor, ActorKind

PREFIX = "ao_"
_SECRET = re.compile(r"ao_[A-Za-z0-9_-]{43}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
DAYS = 90
"""Days that a token holds unless somebody says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalToken:
    """One token as kept: never the token itself."""

    id: str
    digest: str
    """SHA-256 of the token, as hexadecimal digits. It has 256 random bits, so no slower hash is needed."""
    person: str
    """Whose rights it has; empty: those of this machine's owner."""
    label: str
    by: str
    made: float
    expires: float
    """Epoch seconds; 0: never."""
    used: float = 0.0
    """The hour of its last use, in epoch seconds; 0: never."""

    @property
    def actor(self) -> Actor:
        """Who asks with it. Rights are looked up at each use."""
        return Actor(
            kind=ActorKind.PERSON if self.person else OWNER.kind, name=self.person or OWNER.name, via="api"
        )

    def holds(self, now: float) -> bool:
        """Whether it has not expired."""
        return not self.expires or now < self.expires


def digest_of(secret: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_secret(text: str) -> bool:
    """Whether a text has the form of a token."""
    return _SECRET.fullmatch(text) is not None


def is_digest(text: str) -> bool:
    """Whether a text has the form of what is kept."""
    return _DIGEST.fullmatch(text) is not None
