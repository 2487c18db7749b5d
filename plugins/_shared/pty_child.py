"""A program in a pseudo-terminal that this process holds. It hangs up when this process ends.

The calls block: run them in an executor of your own.
"""

from __future__ import annotations

import contextlib
import os
import pty
import select
import subprocess
import termios
import threading
import time
from pathlib import Path

from orchestrator.errors import PermanentError, TemporaryError
from plugins._shared.virtual_screen import VirtualScreen

COLUMNS, ROWS = 200, 50

_CHUNK = 8192
# A process that leads a session gets the first terminal that it opens as its own.
_INTO_TERMINAL = 'exec /bin/sh "$1" <>"$0" >&0 2>&1'


class PtyChild:
    """One program, its terminal, and the thread that reads what it writes."""

    def __init__(self, script: Path, marker: str = "") -> None:
        """Start the script. Raises `TemporaryError` when this host has no terminal or process to give."""
        self.marker = marker
        """What stands in the environment of everything that the program starts."""
        self._writing = threading.Lock()
        self._master = -1
        slave = -1
        try:
            self._master, slave = pty.openpty()
            termios.tcsetwinsize(slave, (ROWS, COLUMNS))
            self.screen = VirtualScreen(COLUMNS, ROWS, self._answer)
            self._process = subprocess.Popen(  # noqa: S603 - a script of ours
                ("/bin/sh", "-c", _INTO_TERMINAL, os.ttyname(slave), str(script)),
                cwd="/",
                env={},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            if self._master >= 0:
                os.close(self._master)
            msg = f"no terminal could be made: {error.strerror}."
            raise TemporaryError(msg) from error
        finally:
            self._slave = slave
        os.set_blocking(self._master, False)
        self._reader = threading.Thread(target=self._read, name=f"pty-{self.pid}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The program's process."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; 128 and more for a signal."""
        code = self._process.poll()
        return code if code is None or code >= 0 else 128 - code

    def write(self, data: bytes, limit: float = 5.0) -> None:
        """Type. Raises `TemporaryError` when nothing was taken, `PermanentError` when only a part was."""
        taken, end = 0, time.monotonic() + limit
        with self._writing:
            while taken < len(data):
                _, ready, _ = select.select([], [self._master], [], max(end - time.monotonic(), 0))
                try:
                    taken += os.write(self._master, data[taken : taken + _CHUNK]) if ready else 0
                except BlockingIOError:
                    pass
                except OSError as error:
                    msg = f"the terminal is gone: {error.strerror}."
                    raise PermanentError(msg) from error
                if time.monotonic() >= end and taken < len(data):
                    raise _not_taken(taken, len(data), limit)

    def release(self) -> None:
        """Let the terminal go, once the program and all that it started have been ended."""
        # One that hangs in the kernel is waited for no longer; whoever ended it says so.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=2)
        os.close(self._slave)
        self._reader.join(timeout=5)
        os.close(self._master)

    def _read(self) -> None:
        """Until nobody holds the other side."""
        while True:
            try:
                select.select([self._master], [], [])
                data = os.read(self._master, _CHUNK)
            except BlockingIOError:
                continue
            except (OSError, ValueError):
                return  # Linux says EIO when the last one has hung up.
            if not data:
                return
            self.screen.feed(data)

    def _answer(self, data: bytes) -> None:
        try:
            os.write(self._master, data)
        except OSError:
            return  # It asked and does not wait for the answer.


def _not_taken(taken: int, whole: int, limit: float) -> TemporaryError | PermanentError:
    if taken:
        return PermanentError(f"the program took {taken} of {whole} bytes in {limit:g} s and then no more.")
    return TemporaryError(f"the program took nothing within {limit:g} s.")
