"""The environment of an agent's program, given through a pipe: no file ever holds what is in it.

There are keys of people in it. A file would stay after a crash, and with the ended session; an argument
list is seen by everybody. A pipe in the session's folder holds nothing: the launch script waits at it,
takes it away once we are there, and reads. While it lies there the program has not begun.
"""

from __future__ import annotations

import os
import select
import shlex
import stat
import time
from collections.abc import Mapping
from pathlib import Path

from orchestrator.errors import TemporaryError

PIPE = "launch.env"
"""In the session's folder, between the start of the terminal and that of the program."""

WAIT = 8.0
"""Seconds for a shell to come to the pipe, and to read all of it. Shorter than a call on files may take."""
_PAUSE = 0.005
_WHOLE = "ao_whole=1"

READ = """\
exec 3<{pipe} || exit 126
command -p rm -f -- {pipe}
ao_text=
while IFS= read -r ao_line <&3; do ao_text="$ao_text$ao_line
"; done
exec 3<&-
"""
SET = """ao_whole=
eval "$ao_text"
[ "$ao_whole" ] || exit 126
unset ao_text ao_line ao_whole
"""
"""What a launch script does last before its program. No `.` of the pipe: the shell of macOS reads nothing then."""


def reading(pipe: Path) -> str:
    """The lines of a script that take the environment from a pipe; after `SET` it is there."""
    return READ.format(pipe=shlex.quote(str(pipe)))


def make(pipe: Path) -> None:
    """Make the pipe anew, for us alone. Blocks."""
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe, 0o600)


def is_there(pipe: Path) -> bool:
    """Whether a launch script waits at the pipe, or will: the program has not begun. Blocks."""
    try:
        return stat.S_ISFIFO(pipe.lstat().st_mode)
    except OSError:
        return False


def give(pipe: Path, environment: Mapping[str, str], wait: float = WAIT) -> None:
    """Give the environment to the script that waits. Raises `TemporaryError` if none comes. Blocks."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in sorted(environment.items())]
    data = "\n".join((*lines, _WHOLE, "")).encode(errors="surrogateescape")
    until = time.monotonic() + wait
    descriptor = _opened(pipe, until)
    try:
        _write(descriptor, data, until)
    except BrokenPipeError as error:
        raise _failed() from error
    finally:
        os.close(descriptor)
    pipe.unlink(missing_ok=True)  # the script takes it away too, a moment later: it has begun from now on


def _opened(pipe: Path, until: float) -> int:
    """The pipe, once somebody reads from it: opened before, what is written would be lost."""
    while True:
        try:
            descriptor = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            if time.monotonic() > until:
                raise _failed() from error
        else:
            if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                return descriptor
            os.close(descriptor)
            raise _failed()
        time.sleep(_PAUSE)


def _write(descriptor: int, data: bytes, until: float) -> None:
    while data:
        left = until - time.monotonic()
        if left <= 0 or not select.select([], [descriptor], [], left)[1]:
            raise _failed()
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:
            continue


def _failed() -> TemporaryError:
    return TemporaryError("the terminal did not take the environment of its program.")
