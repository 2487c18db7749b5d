"""The one place where our commands are run: an argument list, an environment, a time limit.

Nothing is inherited: not our environment, not our standard input, not our terminal. A command has a
process group of its own, and on expiry, or when the caller gives up, the whole group is ended.
"""

from __future__ import annotations

import asyncio
import errno
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from typing_extensions import override

from orchestrator.errors import AoError, PermanentError, TemporaryError
from orchestrator.ports.place import Completed

LIMIT = 10_000_000
"""Bytes of each output stream that are kept unless the caller says otherwise."""

GRACE = 1.0
"""Seconds between asking a group to end and ending it, so that programs can take their locks away."""

_LINGER = 0.5
_PASSING = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ETXTBSY)


async def run(
    argv: Sequence[str],
    *,
    cwd: str | Path = "/",
    env: Mapping[str, str],
    stdin: bytes = b"",
    timeout: float = 60.0,
    limit: int = LIMIT,
) -> Completed:
    """Run a program to its end. A code other than 0 is a result; a signal counts as 128 + its number.

    `env` is the whole environment; the program is looked up on its PATH. Of longer output the first
    `limit` bytes are kept, of standard error the last. What the program leaves behind in its group
    and still holds our pipes is ended with it. Raises `TemporaryError` on expiry and
    `PermanentError` for a program or folder that does not exist.
    """
    conversation = _Conversation(limit)
    transport = await _spawn(conversation, argv, str(cwd), env, has_input=bool(stdin))
    try:
        async with asyncio.timeout(timeout):
            await _talk(transport, conversation, stdin)
    except TimeoutError as error:
        await _end(transport, conversation, GRACE)
        msg = f"{argv[0]} did not end within {timeout:g} s and was ended."
        raise TemporaryError(msg) from error
    except BaseException:
        await _end(transport, conversation, 0.0)
        raise
    finally:
        transport.close()
    code = transport.get_returncode()
    if code is None:
        msg = f"{argv[0]} ended and left no exit code."
        raise TemporaryError(msg)
    return Completed(
        code=code if code >= 0 else 128 - code,
        stdout=bytes(conversation.out),
        stderr=bytes(conversation.err),
    )


class _Conversation(asyncio.SubprocessProtocol):
    """What a process said, and how far its end has come."""

    def __init__(self, limit: int) -> None:
        self.out = bytearray()
        self.err = bytearray()
        self.exited = asyncio.Event()
        self.hung_up = asyncio.Event()
        self._limit = limit

    @override
    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == 1:
            self.out += data[: max(self._limit - len(self.out), 0)]
        else:
            self.err += data
            del self.err[: max(len(self.err) - self._limit, 0)]

    @override
    def process_exited(self) -> None:
        self.exited.set()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """It has exited, and nobody holds its pipes any more."""
        self.hung_up.set()


async def _spawn(
    conversation: _Conversation, argv: Sequence[str], cwd: str, env: Mapping[str, str], *, has_input: bool
) -> asyncio.SubprocessTransport:
    nothing, pipe = asyncio.subprocess.DEVNULL, asyncio.subprocess.PIPE
    starting = asyncio.ensure_future(
        asyncio.get_running_loop().subprocess_exec(
            lambda: conversation,
            *argv,
            cwd=cwd,
            env=dict(env),
            stdin=pipe if has_input else nothing,
            stdout=pipe,
            stderr=pipe,
            start_new_session=True,
        )
    )
    try:
        # Cancelled in the middle, asyncio waits for ever for pipes that it connects no more (Python 3.11):
        # what begins to start is let start, and then ended.
        transport, _ = await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.wait({starting})
        if starting.exception() is None:
            await _end(starting.result()[0], conversation, 0.0)
            starting.result()[0].close()
        raise
    except OSError as error:
        raise _not_started(argv[0], cwd, error) from error
    except ValueError as error:
        msg = f"{argv[0]!r} cannot be run: {error}."
        raise PermanentError(msg) from error
    return transport


def _not_started(program: str, cwd: str, error: OSError) -> AoError:
    reason = error.strerror or str(error)
    if error.errno in _PASSING:
        return TemporaryError(f"{program} could not be started now: {reason}.")
    if error.filename == cwd != program:
        return PermanentError(f"{program} cannot be run in {cwd}: {reason}.")
    if error.errno == errno.ENOENT:
        return PermanentError(f"there is no program {program!r}.", next_step="Install it or mend its path.")
    return PermanentError(f"{program} cannot be run: {reason}.")


async def _talk(transport: asyncio.SubprocessTransport, conversation: _Conversation, stdin: bytes) -> None:
    pipe = transport.get_pipe_transport(0)
    if isinstance(pipe, asyncio.WriteTransport):
        pipe.write(stdin)
        pipe.write_eof()
    await conversation.exited.wait()
    if await _within(conversation.hung_up, _LINGER):
        return
    # Something that it started holds the pipes: it would be waited for until the time limit.
    _signal(transport.get_pid(), signal.SIGKILL)
    await _within(conversation.hung_up, _LINGER)


async def _end(transport: asyncio.SubprocessTransport, conversation: _Conversation, grace: float) -> None:
    """End the whole group, and wait (not for ever: a process may hang in the kernel)."""
    group = transport.get_pid()
    if grace:
        _signal(group, signal.SIGTERM)
        await _within(conversation.exited, grace)
    # Also when the leader went by itself: the rest of its group may have ignored the request.
    _signal(group, signal.SIGKILL)
    await _within(conversation.exited, 5.0)


async def _within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


def _signal(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return
