"""Bytes that survive a crash: files replaced whole, folders made, each synced to the disk. The calls block."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Callable
from pathlib import Path

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


def replace(
    path: Path,
    content: bytes,
    *,
    mode: int = 0o600,
    alone: bool = True,
    reached: Callable[[str], None] = lambda _: None,
) -> None:
    """Put `content` in place of `path`: whoever reads sees the old or the new, whole. Raises `OSError`.

    `alone`: nobody else writes it, so what a crash left half written is written over by the next.
    `reached` is told of each boundary: `written`, `replaced`, `kept`.
    """
    new = path.with_name(f".{path.name}.new" if alone else f".{path.name}.{secrets.token_hex(4)}.new")
    try:
        _write_new(new, content, mode)
        reached("written")
        new.replace(path)
        reached("replaced")
        sync_folder(path.parent)
    except OSError:
        new.unlink(missing_ok=True)
        raise
    reached("kept")


def _write_new(path: Path, content: bytes, mode: int) -> None:
    try:
        descriptor = os.open(path, _NEW, 0o600)
    except FileNotFoundError:
        make_folder(path.parent)
        descriptor = os.open(path, _NEW, 0o600)
    try:
        if mode != 0o600:
            os.fchmod(descriptor, mode)
        write_all(descriptor, content)
        sync_file(descriptor)
    finally:
        os.close(descriptor)
