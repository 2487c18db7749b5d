"""How somebody comes into the web console: a link that works once, for ten minutes."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field

from orchestrator.domain.person import OWNER, Actor, ActorKind
from orchestrator.errors import NotReady

LIFE = 600.0
"""Seconds for which a link can be used."""
_MOST = 100


@dataclass(slots=True)
class Door:
    """The console's address, and the codes that are out. Codes are forgotten by a restart."""

    address: str = ""
    """`http://127.0.0.1:4180`; empty while no console listens."""
    _codes: dict[str, tuple[Actor, float]] = field(default_factory=dict)

    def link(self, who: Actor, now: float) -> str:
        """A new link for somebody. Raises `NotReady` where no console listens."""
        if not self.address:
            msg = "the web console is not running."
            raise NotReady(msg, next_step="`ao start` opens it, unless the configuration switches it off.")
        code = secrets.token_urlsafe(16)
        fresh = [(key, kept) for key, kept in self._codes.items() if kept[1] > now]
        self._codes = {**dict(fresh[-_MOST + 1 :]), _digest(code): (who, now + LIFE)}
        return f"{self.address}/login/{code}"

    def invitation(self, now: float) -> str:
        """What `ao start` prints: the owner's link. Raises `NotReady`."""
        return (
            f"Web console: {self.link(OWNER, now)} (works once, for ten minutes; `ao console` makes another)"
        )

    def whose(self, code: str, now: float) -> Actor | None:
        """Whom a code is for; None when it is used up, too old or none of ours. It stays valid."""
        kept = self._codes.get(_digest(code))
        return kept[0] if kept is not None and kept[1] > now else None

    def take(self, code: str, now: float) -> Actor | None:
        """Likewise, and use it up."""
        who = self.whose(code, now)
        self._codes.pop(_digest(code), None)
        return who

    def forget(self, name: str) -> None:
        """Links that are out for a person do not work any more."""
        for key, (who, _) in list(self._codes.items()):
            if who.kind is not ActorKind.OWNER and who.name.lower() == name.lower():
                del self._codes[key]


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode(errors="surrogatepass")).hexdigest()
