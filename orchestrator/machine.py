"""What this machine has to spare, and what of us others on it may see."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

_MEMINFO = Path("/proc/meminfo")
_PR_SET_DUMPABLE = 4


def free_memory() -> int | None:
    """Bytes that programs can still take; None where this system does not tell.

    `MemAvailable` of /proc/meminfo (Linux; proc(5)): free memory and what can be had back at once.
    """
    try:
        rows = _MEMINFO.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    for row in rows:
        if row.startswith("MemAvailable:"):
            return int(row.split()[1]) * 1024
    return None


def hide_environment() -> bool:
    """Keep other processes of this user from reading our environment with its tokens.

    `prctl(PR_SET_DUMPABLE, 0)` closes /proc/<pid>/environ (prctl(2)); False where there is none.
    """
    if not sys.platform.startswith("linux"):
        return False
    return bool(ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
