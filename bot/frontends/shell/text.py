"""Messages as plain text for a terminal: tables in columns, nothing that a terminal would obey."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from bot.chat.message import Message, Table
from orchestrator.domain.outside_text import clean

_GAP = 2
_SELECTOR = "\ufe0f"
_NARROWEST = 8


def lines_of(message: Message, width: int) -> list[str]:
    """A message as lines of at most `width` columns, where only a table's last column is cut."""
    lines = [_safe(message.title)] if message.title else []
    lines += [_safe(line) for line in message.lines]
    if message.fields:
        space = max(columns(_safe(field.label)) for field in message.fields)
        lines += [f"  {pad(_safe(field.label), space)}  {_safe(field.value)}" for field in message.fields]
    if message.table:
        lines += table_lines(message.table, width)
    if message.next_steps:
        lines.append("Next: " + "  |  ".join(_safe(f"ao {step}") for step in message.next_steps))
    return lines


def table_lines(table: Table, width: int) -> list[str]:
    """A table in columns; the last one is cut so that a row fits."""
    rows = [table.columns, *table.rows]
    safe = [[_safe(cell).replace("\n", " ") for cell in row] for row in rows]
    spaces = [max(columns(row[index]) for row in safe) for index in range(len(table.columns))]
    return [_row(row, spaces, width) for row in safe]


def _row(cells: Sequence[str], spaces: Sequence[int], width: int) -> str:
    head = "".join(pad(cell, space + _GAP) for cell, space in zip(cells[:-1], spaces[:-1], strict=True))
    left = max(width - columns(head), _NARROWEST)
    return (head + cut(cells[-1], left)).rstrip()


def columns(text: str) -> int:
    """How many columns a terminal gives to a text."""
    return sum(_columns(text, index) for index in range(len(text)))


def _columns(text: str, index: int) -> int:
    letter = text[index]
    if letter == _SELECTOR or unicodedata.combining(letter):
        return 0
    if index + 1 < len(text) and text[index + 1] == _SELECTOR:
        return 2
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def pad(text: str, space: int) -> str:
    """`text` with blanks behind it up to `space` columns."""
    return text + " " * max(space - columns(text), 0)


def cut(text: str, space: int) -> str:
    """At most `space` columns of a text."""
    if columns(text) <= space:
        return text
    while text and columns(text) > space - 1:
        text = text[:-1]
    return f"{text}…"


def _safe(text: str) -> str:
    return clean(text).replace("\t", "    ")
