"""The lock of the one writer of a home: an flock, freed by the system however its holder ends."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from typing_extensions import override

from orchestrator.errors import Conflict, NotReady
from orchestrator.storage.damage import write_failed
from orchestrator.storage.layout import Home

_TRIES = 5
_PAUSE = 0.02
"""Whoever only asks who holds the lock has it for an instant; so it is tried for this long, five times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who writes the home now."""

    pid: int
    what: str
    """The command: `ao start`."""
    started_at: float

    @override
    def __str__(self) -> str:
        since = datetime.fromtimestamp(self.started_at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return f"`{self.what}` (pid {self.pid}) has been running since {since}"


@contextmanager
def hold(home: Home, *, what: str, now: float) -> Iterator[Holder]:
    """Be the one writer of `home` while the block runs. Blocks for a tenth of a second at most.

    Raises `Conflict` naming the holder when there is one, `NotReady` when the lock cannot be made,
    `TemporaryError` when the disk is full.
    """
    try:
        descriptor = os.open(home.lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        msg = f"{home.lock} cannot be opened: {error.strerror}."
        raise NotReady(msg) from error
    try:
        _take(descriptor)
        holder = Holder(pid=os.getpid(), what=what, started_at=now)
        _name(home, descriptor, holder)
        yield holder
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _name(home: Home, descriptor: int, holder: Holder) -> None:
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(asdict(holder)).encode(), 0)
    except OSError as error:
        raise write_failed(home.lock, error) from error


def _take(descriptor: int) -> None:
    for _ in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE)
        else:
            return
    found = _read(descriptor)
    msg = f"{found}." if found is not None else "Another ao writes here just now."
    raise Conflict(msg, next_step="Use it, or stop it with `ao stop`.")


def holder(home: Home) -> Holder | None:
    """Who holds the lock now, or None when nobody does. Never waits."""
    try:
        descriptor = os.open(home.lock, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(descriptor) or Holder(pid=0, what="ao", started_at=0.0)
    finally:
        os.close(descriptor)
    return None


def _read(descriptor: int) -> Holder | None:
    """What the holder wrote; None while it has not written yet."""
    try:
        found = json.loads(os.pread(descriptor, 4096, 0))
        return Holder(pid=int(found["pid"]), what=str(found["what"]), started_at=float(found["started_at"]))
    except (ValueError, KeyError, TypeError):
        return None
