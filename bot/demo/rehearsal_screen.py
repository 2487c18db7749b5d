"""The screen and the keyboard of the rehearsal agent: a status line, a prompt, bracketed paste."""

from __future__ import annotations

import codecs
import os
import re
import select
import sys
import termios
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

_KEY = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1bO.|.", re.DOTALL)
_BEGUN = re.compile(r"\x1b(?:\[[0-9;?]*)?\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SEQUENCE = re.compile(r"\x1b\][^\x07]*\x07|\x1b\[[?0-9]*[a-zA-Z]|\r")


class Interrupted(Exception):
    """Escape or C-c while a step was played."""


class Terminal:
    """The screen, and the keyboard with bracketed paste. Works on a pipe too, line by line."""

    def __init__(self) -> None:
        self.messages: deque[str] = deque()
        self.choices = 0
        self._interrupted = False
        self._closed = False
        self._line = ""
        self._pending = ""
        self._pasting = False
        self._status = ""
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode

    @contextmanager
    def keyboard(self) -> Iterator[None]:
        """Single keys, not echoed; C-c is a key."""
        if not os.isatty(0):
            yield
            return
        before = termios.tcgetattr(0)
        mode = termios.tcgetattr(0)
        mode[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG | termios.IEXTEN)
        termios.tcsetattr(0, termios.TCSADRAIN, mode)
        self._write("\x1b[?2004h")
        try:
            yield
        finally:
            self._write("\x1b[?2004l\r\n")
            termios.tcsetattr(0, termios.TCSADRAIN, before)

    def show(self, text: str) -> None:
        """Lines above the status line."""
        lines = "".join(f"{_CONTROL.sub('', line)}\r\n" for line in text.splitlines() or [""])
        self._write(f"\r\x1b[2K{lines}{self._last_line()}")

    def waits(self) -> None:
        """Draw the prompt: the program reads messages now."""
        self._draw("")

    def works(self, what: str) -> None:
        """Draw what is being done."""
        self._draw(f"* {_CONTROL.sub(' ', what)[:60]} (esc to interrupt)")

    def poll(self, seconds: float | None, *others: int) -> list[int]:
        """Wait for keys or for `others` to be readable; take the keys in. Raises `Interrupted`."""
        sources = [*others] if self._closed else [0, *others]
        if self._pending:
            seconds = 0.05 if seconds is None else min(seconds, 0.05)
        ready = select.select(sources, [], [], seconds)[0]
        if 0 in ready:
            data = os.read(0, 65536)
            self._closed = not data
            self._take(self._decode(data))
        elif self._pending:
            self._take("", whole=True)
        if self._interrupted:
            self._interrupted = False
            raise Interrupted
        return [source for source in ready if source]

    def read(self) -> str:
        """The next message. Raises `EOFError` when nobody can send one any more."""
        while not self.messages:
            if self._closed:
                raise EOFError
            try:
                self.poll(None)
            except Interrupted:
                self.waits()
        return self.messages.popleft()

    def _take(self, text: str, *, whole: bool = False) -> None:
        text = self._pending + text
        begun = None if whole else _BEGUN.search(text)
        self._pending = text[begun.start() :] if begun else ""
        for key in _KEY.findall(text[: begun.start()] if begun else text):
            self._press(key)
        if not self._status:
            self._draw("")

    def _press(self, key: str) -> None:
        if key in {"\x1b[200~", "\x1b[201~"}:
            self._pasting = key == "\x1b[200~"
        elif self._pasting:
            self._line += "\n" if key == "\r" else key
        else:
            self._type(key)

    def _type(self, key: str) -> None:
        if key in {"\x1b", "\x03"}:
            self._line, self._interrupted = "", True
        elif self.choices and key.isdigit() and 0 < int(key) <= self.choices:
            self.messages.append(key)
        elif key in {"\r", "\n"}:
            self._submit()
        elif key == "\x7f":
            self._line = self._line[:-1]
        elif key.isprintable():
            self._line += key

    def _submit(self) -> None:
        if self._line.strip():
            self.messages.append(self._line)
        self._line = ""

    def _draw(self, status: str) -> None:
        title = "working" if status else "waiting"
        self._status = status
        self._write(f"\x1b]2;rehearsal: {title}\x07\r\x1b[2K{self._last_line()}")

    def _last_line(self) -> str:
        if self._status:
            return self._status
        lines = self._line.split("\n")
        more = f" [+{len(lines) - 1} lines]" if len(lines) > 1 else ""
        return f"> {_CONTROL.sub('', lines[0])[-60:]}{more}"

    def _write(self, text: str) -> None:
        sys.stdout.write(text if os.isatty(1) else _SEQUENCE.sub("", text))
        sys.stdout.flush()
