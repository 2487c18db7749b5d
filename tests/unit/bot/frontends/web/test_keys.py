"""What a browser's terminal sends becomes keys that runtimes know, and nothing else."""

from __future__ import annotations

import pytest

from bot.frontends.web.keys import MOST, pressed
from orchestrator.ports.runtime import Keys
from plugins._shared import key_names


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        ("ls -l\r", ("l", "s", " ", "-", "l", "Enter")),
        ("\x1b[A\x1bOB\x1b[1;5C\x1b[Z", ("Up", "Down", "Right", "BTab")),
        ("\x1b[3~\x1b[5~\x1b[6~\x7f", ("DC", "PPage", "NPage", "BSpace")),
        ("\x1b", ("Escape",)),
        ("\x1bx", ("Escape", "x")),
        ("\x03\x1a\t", ("C-c", "C-z", "Tab")),
        ("é漢🙂", ("é", "漢", "🙂")),
        ("a\x00\x1b[?1;2c\u202e\ud800b", ("a", "Escape", "[", "?", "1", ";", "2", "c", "b")),
        ("\x1b[24~\x1b[99;1R", ()),
    ],
)
def test_what_is_typed_is_pressed(data: str, keys: tuple[str, ...]) -> None:
    found = pressed(data)
    assert found == (Keys(keys=keys) if keys else None)
    assert not keys or key_names.checked(keys) == keys


def test_a_request_presses_so_many_keys_at_most() -> None:
    found = pressed("x" * 10_000)
    assert found is not None
    assert len(found.keys) == MOST
