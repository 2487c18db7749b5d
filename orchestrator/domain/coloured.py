"""A terminal's screen with its colours, and with nothing else that a terminal could be told. Pure.

What a program writes on its screen is outside text. Of its escape sequences only the colours and the
styles (SGR) stay, so that whoever draws the screen cannot be made to set a title, fill a clipboard,
follow a link, answer a question or move anything.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain.outside_text import clean, mask

_STYLE = re.compile(r"\x1b\[([0-9;:]{0,80})m")
_NUMBER = re.compile(r"[0-9]{1,3}(?::[0-9:]{0,40})?")
# DEC Special Graphics (VT100 manual, table 3-9): what stands between SO and SI draws lines.
_GRAPHICS = str.maketrans("`afgjklmnopqrstuvwxyz{|}~", "◆▒°±┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·")
_SHIFT = re.compile("([\x0e\x0f])")
_LONG = {"38": {"5": 3, "2": 5}, "48": {"5": 3, "2": 5}, "58": {"5": 3, "2": 5}}
"""Colours by number or by red, green and blue: how many parameters they take with their own."""
_ENDS = {
    "22": ("1", "2"),
    "23": ("3",),
    "24": ("4",),
    "25": ("5", "6"),
    "27": ("7",),
    "28": ("8",),
    "29": ("9",),
}
_KINDS = {"39": "foreground", "49": "background", "59": "underline"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A visible screen as it would be drawn. Its lines hold text and SGR sequences, each from a fresh start."""

    columns: int
    rows: int
    lines: tuple[str, ...]
    """At most `rows`, the uppermost first: outside text."""
    cursor: tuple[int, int] | None = None
    """Column and row, from 0; None while the program hides it."""


def coloured(text: str) -> tuple[str, ...]:
    """The lines of a screen; what is no text, no colour and no style is taken away."""
    styles: dict[str, str] = {}
    drawing = False
    lines = []
    for line in text.split("\n"):
        parts, shown = [], "\x1b[0m"
        for index, piece in enumerate(_STYLE.split(line)):
            if index % 2:
                _apply(styles, piece)
                continue
            words, drawing = _drawn(piece, drawing=drawing)
            if words and shown != (now := _sequence(styles)):
                parts.append(now)
                shown = now
            parts.append(words)
        lines.append("".join(parts))
    return tuple(lines)


def plain(line: str) -> str:
    """A line without its colours."""
    return _STYLE.sub("", line)


def masked(lines: Sequence[str]) -> tuple[str, ...]:
    """The lines with secrets masked: a line that holds one loses its colours, and keeps its length."""
    words = [plain(line) for line in lines]
    shown = mask("\n".join(words)).split("\n")
    if len(shown) != len(words):
        return tuple(shown)  # one that goes over several lines, as a private key does
    return tuple(
        line if safe == word else safe[: len(word)].ljust(len(word))
        for line, word, safe in zip(lines, words, shown, strict=True)
    )


def _drawn(piece: str, *, drawing: bool) -> tuple[str, bool]:
    """A piece of text with the lines that are drawn in it as letters of their own."""
    found = []
    for part in _SHIFT.split(piece):
        if part in {"\x0e", "\x0f"}:
            drawing = part == "\x0e"
        else:
            words = clean(part).replace("\n", " ").replace("\t", " ")
            found.append(words.translate(_GRAPHICS) if drawing else words)
    return "".join(found), drawing


def _sequence(styles: dict[str, str]) -> str:
    """What brings a terminal from any style to these."""
    return f"\x1b[{';'.join(('0', *styles.values()))}m"


def _apply(styles: dict[str, str], parameters: str) -> None:
    """Change the styles as one sequence says."""
    codes = parameters.split(";") if parameters else ["0"]
    while codes:
        code = codes[0] or "0"
        length = _LONG.get(code, {}).get(codes[1] if len(codes) > 1 else "", 1)
        given, codes = codes[:length], codes[length:]
        if all(map(_NUMBER.fullmatch, [code, *given[1:]])):
            _set(styles, code, ";".join([code, *given[1:]]))


def _set(styles: dict[str, str], code: str, whole: str) -> None:
    first = code.partition(":")[0]
    number = int(first)
    if number == 0:
        styles.clear()
    elif first in _ENDS or first in _KINDS:
        for gone in _ENDS.get(first, (_KINDS.get(first, ""),)):
            styles.pop(gone, None)
    elif number <= 9:
        styles[first] = whole
    else:
        kind = _kind(number)
        if kind:
            styles[kind] = whole


def _kind(number: int) -> str:
    if 30 <= number <= 38 or 90 <= number <= 97:
        return "foreground"
    if 40 <= number <= 48 or 100 <= number <= 107:
        return "background"
    return "underline" if number == 58 else ""
