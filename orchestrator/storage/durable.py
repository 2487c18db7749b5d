"""Kept files read, replaced and moved, with the boundaries named that a crash could fall between.

All functions block; they are called in the storage's own threads.
"""

from __future__ import annotations

import os
from pathlib import Path

from orchestrator import disk
from orchestrator.storage.damage import write_failed
from orchestrator.storage.faults import Faults


def read_file(path: Path) -> bytes:
    """The content of a file of ours, never through a link. Raises `OSError`."""
    with open(path, "rb", opener=_without_links) as file:
        return file.read()


def _without_links(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)


def replace_file(path: Path, content: bytes, faults: Faults, name: str) -> None:
    """Put `content` in place of `path`: whoever reads sees the old or the new, whole.

    `name` names the boundaries (`document`). One writer per path. Raises `TemporaryError` when the
    disk does not take it; the old file is then intact.
    """
    try:
        disk.replace(path, content, reached=lambda boundary: faults.reached(f"{name}.{boundary}"))
    except OSError as error:
        raise write_failed(path, error) from error


def move_folder(old: Path, new: Path, faults: Faults, name: str) -> None:
    """Rename a folder; after a crash it is in one of the two places, whole. Raises `TemporaryError`."""
    try:
        disk.make_folder(new.parent)
        old.rename(new)
        faults.reached(f"{name}.moved")
        disk.sync_folder(new.parent)
        disk.sync_folder(old.parent)
    except OSError as error:
        raise write_failed(new, error) from error
    faults.reached(f"{name}.kept")
