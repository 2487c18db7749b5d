"""What the last `ao start` left for whoever asks while none runs: its configuration, and when it was last here."""

from __future__ import annotations

import os
from pathlib import Path

from orchestrator import disk
from orchestrator.storage.damage import write_failed
from orchestrator.storage.layout import Home

MOST = 10
"""Files that are remembered."""


def remember(home: Home, configuration: Path) -> None:
    """Keep which file this home runs with, and those before it. Blocks. Raises `TemporaryError`."""
    path = home.last_configuration
    files = list(dict.fromkeys([configuration.absolute(), *configurations(home)]))[:MOST]
    try:
        disk.replace(path, b"\0".join(os.fsencode(file) + b"\n" for file in files))
    except OSError as error:
        raise write_failed(path, error) from error


def configuration(home: Home) -> Path | None:
    """The file that this home last ran with, whether it is still there or not."""
    return next(iter(configurations(home)), None)


def configurations(home: Home) -> list[Path]:
    """The files that this home ran with, the newest first."""
    try:
        written = home.last_configuration.read_bytes()
    except OSError:
        return []
    found = [Path(os.fsdecode(one.removesuffix(b"\n"))) for one in written.split(b"\0")]
    return [path for path in found if path.is_absolute()]


def last_seen(home: Home) -> float | None:
    """When somebody who looks after the sessions last kept something here; None: never."""
    times = []
    for path in (home.lock, *home.events.glob("*")):
        try:
            times.append(path.stat().st_mtime)
        except OSError:
            continue  # it went away between the two looks
    return max(times, default=None)
