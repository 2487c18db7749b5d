"""What a program writes is shown as on a terminal, whatever it writes."""

from __future__ import annotations

import random

import pytest

from plugins._shared.virtual_screen import VirtualScreen


def _screen(columns: int = 40, rows: int = 5) -> tuple[VirtualScreen, list[bytes]]:
    answers: list[bytes] = []
    return VirtualScreen(columns, rows, answers.append), answers


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (b"one\r\ntwo", "one\ntwo"),
        (b"\x1b[2J\x1b[3;2Hhere", "\n\n here"),
        (b"abc\rX", "Xbc"),
        ("caf\u00e9 \u65e5\u672c".encode(), "caf\u00e9 \u65e5\u672c"),
        ("a\u202eb\u200bc e\u0301".encode(), "abc \u00e9"),
        (b"\x1b[>4;2m\x1b[>1u\x1b[=1;1u\x1b[?2026hkeys", "keys"),
        (b"\x1b[38:2::1:2:3mcolour\x1b[0m", "colour"),
        (b"\x1bP+q544e\x1b\\text\x1b]52;c;aGk=\x07", "text"),
    ],
)
def test_a_screen_whole_and_byte_by_byte(written: bytes, shown: str) -> None:
    whole, _ = _screen()
    whole.feed(written)
    pieces, _ = _screen()
    for byte in written:
        pieces.feed(bytes([byte]))
    assert whole.text() == pieces.text() == shown


def test_what_left_the_screen_is_kept() -> None:
    screen, _ = _screen()
    for number in range(20):
        screen.feed(b"line %d\r\n" % number)
    assert screen.text() == "line 16\nline 17\nline 18\nline 19"
    assert screen.last(100) == "\n".join(f"line {number}" for number in range(20))
    assert screen.last(2) == "line 18\nline 19"


def test_the_programs_wishes_are_known() -> None:
    screen, answers = _screen()
    assert (screen.bracketed_paste, screen.application_keys, screen.title) == (False, False, "")
    screen.feed(b"\x1b[?2004h\x1b[?1h\x1b]2;my title\x07\x1b[6n")
    assert (screen.bracketed_paste, screen.application_keys, screen.title) == (True, True, "my title")
    assert answers == [b"\x1b[1;1R"]
    screen.feed(b"\x1b[?2004l\x1b[?1l")
    assert (screen.bracketed_paste, screen.application_keys) == (False, False)


@pytest.mark.parametrize("seed", range(5))
def test_no_output_breaks_it(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    screen, _ = _screen()
    alphabet = b"\x1b\x1b\x1b[[[]]PX^_()#%;:?<=>0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ\r\n\t\x07\xff\xc3"
    for _ in range(60):
        screen.feed(bytes(chance.choices(alphabet, k=50)))
    screen.feed(b"\x18\x1b\\\x07\x1bc\x1b[2J\x1b[Hstill here")
    assert "still here" in screen.text()
