"""Ending a program with everything that it started, also what ran away into the background.

A family is: the root, its descendants, all process groups and terminal sessions that those lead, and
on Linux whatever carries the session's own variable in its environment. So a daemon is found that
has forked twice and belongs to nobody. The calls block: run them in an executor of your own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_PS = ("ps", "-A", "-o", "pid=,ppid=,pgid=,lstart=,stat=")
_PAUSE = 0.02
# A shell that reads from a person ignores the first, and what was stopped gets none before it goes on.
_ASKING = (signal.SIGTERM, signal.SIGHUP, signal.SIGCONT)


@dataclass(frozen=True, slots=True)
class Process:
    """One process; `started` tells it from a later one with the same number."""

    pid: int
    parent: int
    group: int
    session: int
    started: str
    marked: bool = False


def end_families(roots: Collection[int], markers: Collection[str] = (), *, grace: float = 3.0) -> list[int]:
    """Ask all members to end, then end them. Returns those that are still there (none, as a rule).

    `roots` are pids of programs. A marker is `NAME=value` as it stands in the environment of everything
    that belongs to one family, also of what is left when the program itself is gone.
    """
    known: set[Process] = set()
    for numbers, wait in ((_ASKING, grace), ((signal.SIGKILL,), 2.0)):
        limit = time.monotonic() + wait
        asked: set[Process] = set()
        while True:
            known = members(roots, markers, known)
            if not known:
                return []
            for process in known - asked:
                _signal(process.pid, numbers)
            asked |= known
            if time.monotonic() >= limit:
                break
            time.sleep(_PAUSE)
    return sorted(process.pid for process in known)


def members(
    roots: Collection[int], markers: Collection[str] = (), known: Collection[Process] = ()
) -> set[Process]:
    """The living members of these families; those `known` from before stay members while they live."""
    everyone = {process.pid: process for process in table(markers)}
    alive = {
        each.pid for each in known if each.pid in everyone and everyone[each.pid].started == each.started
    }
    found = {pid for pid, process in everyone.items() if process.marked or pid in roots or pid in alive}
    found -= _never()
    grown = True
    while grown:
        more = {p.pid for p in everyone.values() if _related(p, found)} - found - _never()
        found |= more
        grown = bool(more)
    return {everyone[pid] for pid in found}


def _related(process: Process, found: set[int]) -> bool:
    return process.parent in found or process.group in found or process.session in found


def _never() -> set[int]:
    return {0, 1, os.getpid(), os.getppid()}


def table(markers: Collection[str] = ()) -> list[Process]:
    """Every process of this machine that is not a zombie."""
    return _from_proc(markers) if sys.platform == "linux" else _from_ps()


def _from_proc(markers: Collection[str]) -> list[Process]:
    wanted = {marker.encode() for marker in markers if marker}
    found = []
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            # The name of the program, in brackets, may hold anything: read from behind it.
            fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
            environment = (entry / "environ").read_bytes() if wanted else b""
        except PermissionError:
            environment = b""
        except OSError:
            continue  # It has just ended.
        if fields[0] in {"Z", "X"}:
            continue
        found.append(
            Process(
                pid=int(entry.name),
                parent=int(fields[1]),
                group=int(fields[2]),
                session=int(fields[3]),
                started=fields[19],
                marked=not wanted.isdisjoint(environment.split(b"\0")),
            )
        )
    return found


def _from_ps() -> list[Process]:
    done = subprocess.run(  # noqa: S603 - an argument list of ours
        _PS, capture_output=True, check=True, timeout=5, env={"PATH": os.defpath, "LC_ALL": "C"}
    )
    found = []
    for line in done.stdout.decode(errors="replace").splitlines():
        pid, parent, group, *rest = line.split()
        if not rest[-1].startswith("Z"):
            found.append(Process(int(pid), int(parent), int(group), 0, " ".join(rest[:-1])))
    return found


def _signal(pid: int, numbers: Collection[signal.Signals]) -> None:
    for number in numbers:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            return
