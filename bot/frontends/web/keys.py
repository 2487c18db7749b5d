"""What a browser's terminal sends for what somebody types, as keys of the runtime port. Pure."""

from __future__ import annotations

import re
import string

from orchestrator.ports.runtime import Keys

MOST = 500
"""Keys that one request may press."""
_SEQUENCE = re.compile(r"\x1b(?:\[[0-9;]*[A-Za-z~]|O[A-Za-z])")
_LETTERS = {"A": "Up", "B": "Down", "C": "Right", "D": "Left", "H": "Home", "F": "End", "Z": "BTab"}
_NUMBERS = {"1": "Home", "2": "IC", "3": "DC", "4": "End", "5": "PPage", "6": "NPage"}
_CONTROLS = {"\r": "Enter", "\n": "Enter", "\t": "Tab", "\x7f": "BSpace", "\x08": "BSpace", "\x1b": "Escape"}


def pressed(data: str) -> Keys | None:
    """The keys in what a terminal sends; one that has no name here is left out. None where no key is left."""
    keys: list[str] = []
    at = 0
    while at < len(data) and len(keys) < MOST:
        match = _SEQUENCE.match(data, at)
        key = _named(match[0]) if match else _single(data[at])
        at = match.end() if match else at + 1
        if key:
            keys.append(key)
    return Keys(keys=tuple(keys)) if keys else None


def _named(sequence: str) -> str:
    if sequence.endswith("~"):
        return _NUMBERS.get(sequence[2:-1], "")
    # With a modifier (`ESC [ 1 ; 5 A`) it is the same key here: the runtimes know no other.
    return _LETTERS.get(sequence[-1], "")


def _single(character: str) -> str:
    if character in _CONTROLS:
        return _CONTROLS[character]
    code = ord(character)
    if 1 <= code <= len(string.ascii_lowercase):
        return f"C-{string.ascii_lowercase[code - 1]}"
    return character if character.isprintable() else ""
