"""The terminal that `ao` was typed into: what is printed, and what is asked."""

from __future__ import annotations

import json
import os
import sys
from typing import TextIO

from bot.chat.message import Json, Message, as_json
from bot.frontends.shell.text import lines_of, wrapped
from orchestrator.errors import AoError

_WIDTH = 80
WHOLE = 1_000_000
"""Columns of what is no terminal: nothing is wrapped or cut."""
_CLEAR = "\x1b[H\x1b[2J\x1b[3J"


class Console:
    """Prints and asks. With `json` only data goes to standard output."""

    def __init__(self, *, json: bool = False, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self.json = json
        self._out = out or sys.stdout
        self._err = err or sys.stderr

    def show(self, message: Message) -> None:
        """Print an answer."""
        if self.json:
            self.data(message.data if message.data is not None else as_json(message))
            return
        self.say("\n".join(lines_of(message, self.width)))

    def data(self, data: Json) -> None:
        """Print one line of JSON."""
        self.say(json.dumps(data, ensure_ascii=False, separators=(",", ":")))

    def say(self, text: str) -> None:
        """Print a text of ours, or one that was cleaned."""
        self._out.write(f"{text}\n")
        self._out.flush()

    def tell(self, text: str) -> None:
        """Print prose of ours: it goes on between words where it is too long."""
        self.say("\n".join(wrapped(text, self.width)))

    def note(self, text: str) -> None:
        """Print prose beside the answer."""
        self._beside("\n".join(wrapped(text, _width(self._err))))

    def _beside(self, text: str) -> None:
        self._err.write(f"{text}\n")
        self._err.flush()

    def error(self, error: AoError) -> None:
        """Print why it was not done."""
        if self.json:
            rows = {
                "code": error.code,
                "what": error.what,
                "next_step": error.next_step,
                "session": error.session,
            }
            self._beside(json.dumps({"error": rows}, ensure_ascii=False))
            return
        title = f"ao: {f'{error.session}: ' if error.session else ''}{error.what}"
        message = Message(title=title, lines=(error.next_step,) if error.next_step else ())
        self._beside("\n".join(lines_of(message, _width(self._err))))

    def redraw(self, message: Message) -> None:
        """Print in place of what was printed before, where that is possible."""
        if self._out.isatty() and not self.json:
            self._out.write(_CLEAR)
        self.show(message)

    @property
    def width(self) -> int:
        """Columns of the terminal; a file or a pipe gets whole lines."""
        return _width(self._out)

    @property
    def can_ask(self) -> bool:
        """Whether a person can answer here."""
        return sys.stdin.isatty() and self._err.isatty()

    def ask(self, message: Message, question: str) -> bool:
        """Show the facts, then ask; only a clear yes is one."""
        if message.title or message.fields:
            self._beside("\n".join(lines_of(message, _width(self._err))))
        self._err.write(f"{question} [y/N] ")
        self._err.flush()
        return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _width(stream: TextIO) -> int:
    try:
        found = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return _WIDTH if stream.isatty() else WHOLE
    return found or _WIDTH
