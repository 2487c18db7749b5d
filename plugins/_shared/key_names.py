"""The keys that may be pressed in an agent's terminal: their names (tmux's) and what a terminal sends."""

from __future__ import annotations

import string
from collections.abc import Sequence

from orchestrator.errors import BadInput

_NAMED = {
    "Enter": "\r",
    "Escape": "\x1b",
    "Tab": "\t",
    "BTab": "\x1b[Z",
    "Space": " ",
    "BSpace": "\x7f",
    "Up": "\x1b[A",
    "Down": "\x1b[B",
    "Right": "\x1b[C",
    "Left": "\x1b[D",
    "Home": "\x1b[H",
    "End": "\x1b[F",
    "IC": "\x1b[2~",
    "DC": "\x1b[3~",
    "PPage": "\x1b[5~",
    "NPage": "\x1b[6~",
}
_CURSOR = frozenset({"Up", "Down", "Right", "Left", "Home", "End"})
NAMES = frozenset({*_NAMED, *(f"C-{letter}" for letter in string.ascii_lowercase)})
"""Every key that has a name; besides them, one printable character stands for itself."""


def checked(keys: Sequence[str]) -> tuple[str, ...]:
    """The keys, or `BadInput` for one that is unknown."""
    for key in keys:
        if key not in NAMES and not (len(key) == 1 and key.isprintable()):
            msg = f"{key!r} is no key: {', '.join(sorted(_NAMED))}, C-a to C-z, or one printable character."
            raise BadInput(msg)
    if not keys:
        msg = "no key was named."
        raise BadInput(msg)
    return tuple(keys)


def sent(key: str, *, application: bool = False) -> bytes:
    """What a terminal sends for a key; `application`: the program asked for application cursor keys (DECCKM)."""
    if key.startswith("C-") and key in NAMES:
        return bytes([ord(key[2]) & 0x1F])
    text = _NAMED.get(key, key)
    if application and key in _CURSOR:
        text = text.replace("[", "O", 1)
    return text.encode()
