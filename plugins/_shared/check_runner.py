"""Runs one check of a pull request, as the session: its environment, nothing of ours, a time limit.

The check is a group of processes of its own. It ends with its first process, at the time limit,
when the caller is cancelled, and when we die: a small watcher in the group holds a pipe from us and
ends the group when the pipe closes, so that a `kill -9` leaves no check running.
"""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import STDOUT, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestrator.domain.outside_text import excerpt
from orchestrator.domain.pull_request import CheckRun, CheckState
from orchestrator.errors import TemporaryError

TAIL_LINES = 60
TAIL_LENGTH = 8_000
"""Characters of a failing check's output that are kept, at most."""

_KEPT = 64_000
_DRAIN = 1.0
_WATCHED = """
exec 3<&0 </dev/null
(read -r _ <&3; kill -s KILL -- "-$$") >/dev/null 2>&1 &
exec 3<&-
"$@"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check of a project: a name and a command, from a configuration that a person trusted."""

    name: str
    argv: tuple[str, ...]


def command(line: str | Sequence[str]) -> tuple[str, ...]:
    """The arguments of a configured command: a line is for the shell, a list is taken as it is."""
    return ("/bin/sh", "-c", line) if isinstance(line, str) else tuple(line)


async def run(check: Check, folder: Path, environment: Mapping[str, str], timeout: float) -> CheckRun:
    """Run a check in `folder` to its end. Raises `TemporaryError` when it cannot be started."""
    env = {"PATH": os.defpath, **environment, "CI": "true", "AO_CHECK": check.name, "PWD": str(folder)}
    argv = ("/bin/sh", "-c", _WATCHED, "ao-check", *check.argv)
    # Pipes of our own: asyncio's are let go only once every process that holds one has ended.
    lifeline, held = os.pipe()
    output, written = os.pipe()
    tail = _Tail()
    try:
        with os.fdopen(held, "wb"), os.fdopen(lifeline, "rb"), os.fdopen(written, "wb") as end:
            async with tail.reading(output):
                process = await asyncio.create_subprocess_exec(
                    *argv,
                    cwd=folder,
                    env=env,
                    stdin=lifeline,
                    stdout=written,
                    stderr=STDOUT,
                    start_new_session=True,
                )
                end.close()
                note = await _ended(process, timeout)
    except OSError as error:
        msg = f"The check {check.name} could not be started: {error.strerror or error}."
        raise TemporaryError(msg) from error
    if not note:
        return CheckRun(name=check.name, state=CheckState.PASSED)
    return CheckRun(name=check.name, state=CheckState.FAILED, tail=tail.text(note))


async def _ended(process: Process, timeout: float) -> str:
    """Wait for the end and end the whole group; why it failed, in words, or nothing."""
    try:
        async with asyncio.timeout(timeout):
            code = await process.wait()
    except TimeoutError:
        return f"[ended by ao: it ran longer than its limit of {timeout:g} s]"
    finally:
        _end_group(process)
        await asyncio.shield(process.wait())
    if code < 0:
        return f"[ended by signal {-code}]"
    return f"[exit code {code}]" if code else ""


def _end_group(process: Process) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


class _Tail:
    """The last part of what a group of processes writes."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._ended = asyncio.Event()

    @asynccontextmanager
    async def reading(self, output: int) -> AsyncIterator[None]:
        """Read while the body runs, and a moment longer for what was written last; closes the pipe."""
        loop = asyncio.get_running_loop()
        os.set_blocking(output, False)
        loop.add_reader(output, self._read, output)
        try:
            yield
            await self._drain()
        finally:
            loop.remove_reader(output)
            os.close(output)

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(_DRAIN):
                await self._ended.wait()
        except TimeoutError:
            return  # a stray process holds the pipe; what it still writes belongs to nobody

    def _read(self, output: int) -> None:
        try:
            chunk = os.read(output, 65_536)
        except BlockingIOError:
            return
        if not chunk:
            asyncio.get_running_loop().remove_reader(output)
            self._ended.set()
        self._data += chunk
        del self._data[:-_KEPT]

    def text(self, note: str) -> str:
        words = excerpt(self._data.decode(errors="replace"), TAIL_LENGTH, tail=True)
        return "\n".join([*words.rstrip().splitlines()[-TAIL_LINES:], note])
