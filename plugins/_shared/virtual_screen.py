"""What a program's output would look like on a terminal of a fixed size. pyte is met only here."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections import deque
from collections.abc import Callable, Mapping

import pyte
from typing_extensions import override

from orchestrator.domain.coloured import Picture, coloured

_PRIVATE = 5
"""pyte keeps private modes shifted by this, to tell them from the public ones."""
_BRACKETED_PASTE = 2004 << _PRIVATE
_CURSOR_KEYS = 1 << _PRIVATE

# What pyte takes for text: device control and other strings, private sequences of newer terminals
# (keyboard protocols), colours written with colons.
_UNKNOWN = re.compile(
    rb"\x1b[PX^_][^\x1b\x07]*(?:\x1b\\|\x07)|\x1b\[[<=>][0-?]*[ -/]*[@-~]|\x1b\[[0-9;]*:[0-?]*[ -/]*[@-~]"
)
_UNFINISHED = re.compile(rb"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}|[PX^_\]][^\x1b\x07]{0,4096}\x1b?)?\Z")
_COLOURS = ("black", "red", "green", "brown", "blue", "magenta", "cyan", "white")
_HEX = re.compile(r"[0-9a-f]{6}")
_NO_WIDTH = frozenset({"Cf", "Cc", "Cs", "Mn", "Me"})


class _Screen(pyte.Screen):
    """A screen that answers the program's questions, and passes over what it does not know."""

    def __init__(self, columns: int, rows: int, history: int, answer: Callable[[bytes], None]) -> None:
        self._answer = answer
        self.gone: deque[str] = deque(maxlen=history)
        """Lines that left at the top. pyte's own HistoryScreen does this at twice the cost."""
        super().__init__(columns, rows)

    @override
    def index(self) -> None:
        top, bottom = self.margins or (0, self.lines - 1)
        if top == 0 and self.cursor.y == bottom:
            row = self.buffer[0]
            width = max(row, default=-1) + 1
            self.gone.append("".join(row[column].data for column in range(width)).rstrip())
        super().index()

    @override
    def write_process_input(self, data: str) -> None:
        self._answer(data.encode())

    @override
    def draw(self, data: str) -> None:
        # pyte leaves out what follows a character without width, unless it combines with the one before.
        super().draw(data if data.isascii() else "".join(filter(_has_place, data)))

    @override
    def select_graphic_rendition(self, *attrs: int, private: bool = False, **_: object) -> None:
        # `CSI > ... m` is no colour but a setting of the keyboard; pyte has no such thing.
        if not private:
            super().select_graphic_rendition(*attrs)

    @override
    def set_margins(self, top: int | None = None, bottom: int | None = None, **_: object) -> None:
        super().set_margins(top, bottom)

    @override
    def report_device_status(self, mode: int, **_: object) -> None:
        super().report_device_status(mode)


class VirtualScreen:
    """Fed by one thread, read by others."""

    def __init__(self, columns: int, rows: int, answer: Callable[[bytes], None], history: int = 2000) -> None:
        self._lock = threading.Lock()
        self._screen = _Screen(columns, rows, history, answer)
        self._stream = pyte.ByteStream(self._screen)
        self._rest = b""
        self.unknown = 0
        """Pieces of output that could not be understood and were passed over."""

    def feed(self, data: bytes) -> None:
        """Show what the program wrote."""
        with self._lock:
            whole = _UNKNOWN.sub(b"", self._rest + data)
            unfinished = _UNFINISHED.search(whole)
            end = unfinished.start() if unfinished else len(whole)
            self._rest = whole[end:]
            try:
                self._stream.feed(whole[:end])
            except (TypeError, ValueError, IndexError, KeyError, AttributeError):
                # A sequence with parameters that pyte does not expect: go on behind this piece.
                self.unknown += 1
                self._stream = pyte.ByteStream(self._screen)

    @property
    def title(self) -> str:
        """The title as the program set it."""
        return str(self._screen.title)

    @property
    def bracketed_paste(self) -> bool:
        """The program tells a paste from typing."""
        return _BRACKETED_PASTE in self._screen.mode

    @property
    def application_keys(self) -> bool:
        """The program wants cursor keys in their application form."""
        return _CURSOR_KEYS in self._screen.mode

    @property
    def cursor(self) -> tuple[int, int]:
        """Column and row of the cursor, from 0."""
        return int(self._screen.cursor.x), int(self._screen.cursor.y)

    def text(self) -> str:
        """The visible screen, without blanks at the ends of lines and below."""
        with self._lock:
            return "\n".join(line.rstrip() for line in self._screen.display).rstrip()

    def picture(self) -> Picture:
        """The visible screen with its colours."""
        with self._lock:
            screen = self._screen
            drawn = [_drawn_row(screen.buffer[row], screen.columns) for row in range(screen.lines)]
            at = None if screen.cursor.hidden else (int(screen.cursor.x), int(screen.cursor.y))
        return Picture(columns=screen.columns, rows=screen.lines, lines=coloured("\n".join(drawn)), cursor=at)

    def last(self, lines: int) -> str:
        """The last lines, also those that left the screen."""
        with self._lock:
            gone = list(self._screen.gone)[-lines:]
            shown = [line.rstrip() for line in self._screen.display]
        return "\n".join("\n".join([*gone, *shown]).rstrip().split("\n")[-lines:])


def _drawn_row(row: Mapping[int, pyte.screens.Char], columns: int) -> str:
    """One line with its colours; blanks at its end that show nothing are left out."""
    parts, before = [], "0"
    for column in range(max(row, default=-1) + 1):
        cell = row[column]
        style = _style(cell)
        if style != before:
            parts.append(f"\x1b[{style}m")
            before = style
        parts.append(cell.data)
    return "".join(parts[: 2 * columns]) + "\x1b[0m"


def _style(cell: pyte.screens.Char) -> str:
    """A cell's style as the parameters of SGR."""
    ways = (cell.bold, cell.italics, cell.underscore, cell.blink, cell.reverse, cell.strikethrough)
    codes = [str(code) for code, on in zip((1, 3, 4, 5, 7, 9), ways, strict=True) if on]
    return ";".join(("0", *codes, *_colour(cell.fg, 30), *_colour(cell.bg, 40)))


def _colour(name: str, base: int) -> tuple[str, ...]:
    """The sixteen by the names that pyte gives them (`brown` is yellow), the others in hexadecimal."""
    if name in _COLOURS:
        return (str(base + _COLOURS.index(name)),)
    bright = name.removeprefix("bright")
    if bright in _COLOURS:
        return (str(base + 60 + _COLOURS.index(bright)),)
    if _HEX.fullmatch(name):
        return (str(base + 8), "2", *(str(int(name[at : at + 2], 16)) for at in (0, 2, 4)))
    return ()


def _has_place(character: str) -> bool:
    return unicodedata.category(character) not in _NO_WIDTH or unicodedata.combining(character) > 0
