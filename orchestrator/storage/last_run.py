"""What the last `ao start` left for whoever asks while none runs: its configuration, and when it was last here."""

from __future__ import annotations

import os
from pathlib import Path

from orchestrator import disk
from orchestrator.storage.damage import write_failed
from orchestrator.storage.layout import Home


def remember(home: Home, configuration: Path) -> None:
    """Keep which file this home runs with. Blocks. Raises `TemporaryError`."""
    path = home.last_configuration
    try:
        disk.replace(path, os.fsencode(configuration.absolute()) + b"\n")
    except OSError as error:
        raise write_failed(path, error) from error


def configuration(home: Home) -> Path | None:
    """The file that this home last ran with, whether it is still there or not."""
    try:
        written = home.last_configuration.read_bytes()
    except OSError:
        return None
    found = Path(os.fsdecode(written.removesuffix(b"\n")))
    return found if found.is_absolute() else None


def last_seen(home: Home) -> float | None:
    """When somebody who looks after the sessions last kept something here; None: never."""
    times = []
    for path in (home.lock, *home.events.glob("*")):
        try:
            times.append(path.stat().st_mtime)
        except OSError:
            continue  # it went away between the two looks
    return max(times, default=None)
