"""Messages as plain text for a terminal: tables in columns, nothing that a terminal would obey."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from bot.chat.message import Message, Table
from orchestrator.domain.outside_text import clean

_GAP = 2
_SELECTOR = "\ufe0f"
_NARROWEST = 8
_READABLE = 24
_WORDS = re.compile(r"[^\s`]*`[^`\n]*`\S*|\S+")


def lines_of(message: Message, width: int) -> list[str]:
    """A message as lines of at most `width` columns: prose goes on between words, a command stays whole."""
    lines = wrapped(_safe(message.title), width) if message.title else []
    for line in map(_safe, message.lines):
        lines += [line] if message.verbatim else wrapped(line, width)
    if message.fields:
        space = max(columns(_safe(field.label)) for field in message.fields)
        for field in message.fields:
            head = f"  {pad(_safe(field.label), space)}  "
            lines += wrapped(_safe(field.value), width, first=head, indent=" " * columns(head))
    if message.table:
        lines += table_lines(message.table, width)
    if message.next_steps:
        lines += _steps([_safe(f"ao {step}") for step in message.next_steps], width)
    return lines


def wrapped(text: str, width: int, *, first: str = "", indent: str | None = None) -> list[str]:
    """Prose in lines of at most `width` columns, as far as words allow; what is in backticks is one word.

    `first` stands before the first line, `indent` before the others: two more blanks than the text itself.
    """
    found: list[str] = []
    for part in text.split("\n"):
        lead = part[: len(part) - len(part.lstrip())]
        behind = f"{lead}  " if indent is None else indent
        before = behind if found and indent is not None else first
        if columns(before + part) <= width:
            found.append((before + part).rstrip())
            continue
        line = before + lead
        empty = True
        for word in _WORDS.findall(part):
            if not empty and columns(f"{line} {word}") > width:
                found.append(line)
                line, empty = behind, True
            line += word if empty else f" {word}"
            empty = False
        found.append(line)
    return found


def _steps(steps: Sequence[str], width: int) -> list[str]:
    """`Next: ao a  |  ao b`: a step is never broken, so that it can be copied."""
    lines = [f"Next: {steps[0]}"]
    for step in steps[1:]:
        longer = f"{lines[-1]}  |  {step}"
        if columns(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(f"      {step}")
    return lines


def table_lines(table: Table, width: int) -> list[str]:
    """A table in columns: its texts are cut, or its last column goes on below, so that a row fits."""
    rows = [table.columns, *table.rows]
    safe = [[_safe(cell).replace("\n", " ") for cell in row] for row in rows]
    spaces = [max(columns(row[index]) for row in safe) for index in range(len(table.columns))]
    texts = [table.columns.index(name) for name in table.cut if name in table.columns]
    if not table.wrap:
        _make_room(spaces, texts or [len(spaces) - 1], width)
    return [line for row in safe for line in _row(row, spaces, width, wrap=table.wrap)]


def _make_room(spaces: list[int], texts: Sequence[int], width: int) -> None:
    """Make the columns with texts narrower, always the widest of them, until a row fits."""
    while sum(spaces) + _GAP * (len(spaces) - 1) > width:
        widest = max(texts, key=lambda index: spaces[index])
        if spaces[widest] <= _NARROWEST:
            return
        spaces[widest] -= 1


def _row(cells: Sequence[str], spaces: Sequence[int], width: int, *, wrap: bool) -> list[str]:
    head = "".join(
        pad(cut(cell, space), space + _GAP) for cell, space in zip(cells[:-1], spaces[:-1], strict=True)
    )
    if not wrap:
        return [(head + cut(cells[-1], spaces[-1])).rstrip()]
    if width - columns(head) < _READABLE:  # too narrow a column of words: they go on below the row
        return [head.rstrip(), *wrapped(cells[-1], width, first="    ", indent="    ")]
    return [line.rstrip() for line in wrapped(cells[-1], width, first=head, indent=" " * columns(head))]


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
