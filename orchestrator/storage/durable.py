"""Bytes that survive a crash: a file replaced whole, a folder moved, each synced to the disk.

All functions block; they are called in the storage's own threads.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from orchestrator.storage.damage import write_failed
from orchestrator.storage.faults import Faults

_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC


def sync_file(descriptor: int) -> None:
    """Return when what was written lies on the disk itself."""
    if hasattr(fcntl, "F_FULLFSYNC"):  # macOS: fsync(2) leaves it in the drive's cache
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fsync(descriptor)


def sync_folder(path: Path) -> None:
    """Return when names that were made, moved or removed in `path` lie on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, content: bytes) -> None:
    """Write everything; a full disk may take only a part of it in one go."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def make_folder(path: Path) -> None:
    """Make `path` and what it lies in, each 0700 and synced; what is there stays."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)
    sync_folder(path.parent)


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
    new = path.with_name(f".{path.name}.new")
    try:
        _write_new(new, content)
        faults.reached(f"{name}.written")
        new.replace(path)
        faults.reached(f"{name}.replaced")
        sync_folder(path.parent)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise write_failed(path, error) from error
    faults.reached(f"{name}.kept")


def _write_new(path: Path, content: bytes) -> None:
    try:
        descriptor = os.open(path, _NEW, 0o600)
    except FileNotFoundError:
        make_folder(path.parent)
        descriptor = os.open(path, _NEW, 0o600)
    try:
        write_all(descriptor, content)
        sync_file(descriptor)
    finally:
        os.close(descriptor)


def move_folder(old: Path, new: Path, faults: Faults, name: str) -> None:
    """Rename a folder; after a crash it is in one of the two places, whole. Raises `TemporaryError`."""
    try:
        make_folder(new.parent)
        old.rename(new)
        faults.reached(f"{name}.moved")
        sync_folder(new.parent)
        sync_folder(old.parent)
    except OSError as error:
        raise write_failed(new, error) from error
    faults.reached(f"{name}.kept")
