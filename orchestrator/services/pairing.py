"""The one-time code by which the first person of a chat becomes an admin. Held in memory only."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable

from orchestrator.domain.person import Actor
from orchestrator.errors import NotAllowed

LIFE = 900.0
"""Seconds that a code is good for."""
TRIES = 5
"""Wrong tries, by anybody, after which a code is good for nothing."""
LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without what is taken for each other: 0 and O, 1, I and L."""
_LENGTH = 8


def new_code() -> str:
    """Eight letters and digits: with five tries a code, nobody guesses one."""
    return "".join(secrets.choice(LETTERS) for _ in range(_LENGTH))


class Pairing:
    """One code at a time, made when it is asked for."""

    def __init__(self, make: Callable[[], str] = new_code) -> None:
        self._make = make
        self._code = ""
        self._until = 0.0
        self._wrong = 0

    def code(self, now: float) -> str:
        """The code that is good now; a new one where the last is used, expired or tried too often."""
        if not self._good(now):
            self._code, self._until, self._wrong = self._make(), now + LIFE, 0
        return self._code

    def until(self) -> float:
        """When the code ends, in epoch seconds."""
        return self._until

    def take(self, typed: str, now: float, *, by: Actor) -> None:
        """Use the code up. Raises `NotAllowed` when it is not this one, or none is good any more."""
        if not self._good(now):
            raise _refused(by, "no pairing code is good now")
        plain = "".join(letter for letter in typed.upper() if letter.isalnum())
        if not hmac.compare_digest(plain.encode(), self._code.encode()):
            self._wrong += 1
            left = TRIES - self._wrong
            tries = (
                f"{left} more tr{'y' if left == 1 else 'ies'}"
                if left
                else "it was tried too often and is void"
            )
            raise _refused(by, f"that is not the pairing code; {tries}")
        self._code = ""

    def _good(self, now: float) -> bool:
        return bool(self._code) and now < self._until and self._wrong < TRIES


def _refused(by: Actor, why: str) -> NotAllowed:
    return NotAllowed(
        f"{by} is not paired: {why}.",
        next_step="`ao people`, typed on the machine where `ao start` runs, shows a code that is good.",
    )
