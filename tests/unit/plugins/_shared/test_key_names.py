"""Keys have names, and a terminal sends something for each."""

from __future__ import annotations

import pytest

from orchestrator.errors import BadInput
from plugins._shared import key_names


@pytest.mark.parametrize(
    ("key", "sent"),
    [
        ("Enter", b"\r"),
        ("Escape", b"\x1b"),
        ("C-c", b"\x03"),
        ("C-z", b"\x1a"),
        ("Up", b"\x1b[A"),
        ("x", b"x"),
        ("é", "é".encode()),
    ],
)
def test_what_a_key_sends(key: str, sent: bytes) -> None:
    assert key_names.checked([key]) == (key,)
    assert key_names.sent(key) == sent


def test_cursor_keys_have_another_form_where_a_program_asks_for_it() -> None:
    assert key_names.sent("Up", application=True) == b"\x1bOA"
    assert key_names.sent("PPage", application=True) == b"\x1b[5~"


@pytest.mark.parametrize("keys", [[], [""], ["F13"], ["C-"], ["C-\x1b"], ["\x1b"], ["\n"], ["Enter", "-X"]])
def test_other_words_are_no_keys(keys: list[str]) -> None:
    with pytest.raises(BadInput):
        key_names.checked(keys)
