"""Who is at the other end of the unix socket: which user, which process, under which session.

Linux: SO_PEERCRED (unix(7)) and /proc (proc(5)). macOS: LOCAL_PEERCRED and LOCAL_PEERPID of
`sys/un.h`, and ps(1); written for, not tried.
"""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from orchestrator.errors import NotAllowed

_NAMES = ("AO_SESSION_ID", "AO_SESSION")
_LONGEST = 64
"""Ancestors that are looked at; more than that is no process tree of a person."""
_SOL_LOCAL, _LOCAL_PEERCRED, _LOCAL_PEERPID = 0, 1, 2
_PS_LIMIT = 2.0


class Socket(Protocol):
    """What of a socket is needed here; asyncio hands out a wrapper."""

    def getsockopt(self, level: int, name: int, size: int = ..., /) -> int | bytes:
        """An option of the socket (getsockopt(2))."""


@dataclass(frozen=True, slots=True)
class Peer:
    """The process that connected."""

    pid: int
    uid: int


@dataclass(frozen=True, slots=True)
class _Process:
    parent: int
    environment: frozenset[str] | None
    """The variables that name a session; None when they cannot be read."""


def of(connection: Socket) -> Peer:
    """The process at the other end, as the kernel tells. Raises `OSError`."""
    if sys.platform == "linux":
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        pid, uid, _ = struct.unpack("3i", _raw(raw))
        return Peer(pid, uid)
    raw = connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, 76)
    _, uid = struct.unpack_from("2I", _raw(raw))
    return Peer(int(connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERPID)), uid)


def _raw(value: int | bytes) -> bytes:
    return value if isinstance(value, bytes) else b""


def session_of(pid: int) -> str:
    """The session that a process runs under, or nothing. Blocks for a moment.

    The variables that a process and each of its ancestors was started with are looked at, since a
    program can change its own only for what it starts. Where `ao` itself was started under a session,
    that one does not count. Raises `NotAllowed` when the process hides its own variables.
    """
    ours = {f"{name}={os.environ[name]}" for name in _NAMES if os.environ.get(name)}
    for step in range(_LONGEST):
        process = _look(pid)
        if process is None:
            return ""
        if process.environment is None and step == 0:
            msg = "who asks cannot be told: its process hides its environment."
            raise NotAllowed(msg, next_step="Ask from a shell of your own.")
        for found in (process.environment or frozenset()) - ours:
            return found.partition("=")[2]
        if process.parent <= 1:
            return ""
        pid = process.parent
    return ""


def _look(pid: int) -> _Process | None:
    """One process; None when it is gone."""
    if sys.platform == "linux":
        folder = Path("/proc") / str(pid)
        try:
            stat = (folder / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        # The name stands in brackets and may hold anything; state and parent come after the last one.
        return _Process(int(stat.rpartition(")")[2].split()[1]), _environment(folder / "environ"))
    return _ps(pid)


def _environment(path: Path) -> frozenset[str] | None:
    try:
        variables = path.read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return None
    return _naming(variables)


def _naming(variables: list[str]) -> frozenset[str]:
    wanted = tuple(f"{name}=" for name in _NAMES)
    return frozenset(text for text in variables if text.startswith(wanted) and text.partition("=")[2])


def _ps(pid: int) -> _Process | None:
    command = ["/bin/ps", "-E", "-ww", "-o", "ppid=,command=", "-p", str(pid)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PS_LIMIT, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return _Process(0, None)
    parent, _, rest = done.stdout.strip().partition(" ")
    return _Process(int(parent), _naming(rest.split())) if parent.isdigit() else None
