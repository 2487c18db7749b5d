"""Files of ours that are replaced whole: whoever reads sees the old or the new, also after a crash.

`replace` takes a path; `replace_at` and `create_at` a name in an open folder, where links on the way
must not be followed (`beneath`). All raise `OSError` and then leave the old file, and nothing else.
The calls block.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeAlias

Sync: TypeAlias = Callable[[int], None]
"""Returns when what was written to a descriptor counts as kept."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def synced(descriptor: int) -> None:
    """Kept once it lies on the disk itself."""
    if hasattr(fcntl, "F_FULLFSYNC"):  # macOS: fsync(2) leaves it in the drive's cache
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fsync(descriptor)


def unsynced(descriptor: int) -> None:
    """Kept at once: for what can be made again after a crash."""
    del descriptor


def replace(path: Path, data: bytes | Iterable[bytes], *, mode: int = 0o600, sync: Sync = synced) -> None:
    """Put `data` in place of `path`, making the folders that are missing."""
    _make_folder(path.parent, sync)
    folder = os.open(path.parent, _FOLDER)
    try:
        replace_at(folder, path.name, data, mode=mode, sync=sync)
    finally:
        os.close(folder)


def replace_at(
    folder: int, name: str, data: bytes | Iterable[bytes], *, mode: int | None, sync: Sync = synced
) -> None:
    """Put `data` in place of a file in an open folder. Without a mode it gets what the umask leaves."""
    part = _part(name)
    try:
        _fill(folder, part, data, mode, sync)
        os.rename(part, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        _forget(folder, part)
        raise
    sync(folder)


def create_at(folder: int, name: str, data: bytes) -> bool:
    """Make a file that must be new in an open folder; False when the name is taken."""
    part = _part(name)
    try:
        _fill(folder, part, data, None, synced)
        os.link(part, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        return False
    finally:
        _forget(folder, part)
    synced(folder)
    return True


def _make_folder(path: Path, sync: Sync) -> None:
    if path.is_dir():
        return
    _make_folder(path.parent, sync)
    path.mkdir(mode=0o700, exist_ok=True)
    folder = os.open(path.parent, _FOLDER)
    try:
        sync(folder)
    finally:
        os.close(folder)


def _fill(folder: int, part: str, data: bytes | Iterable[bytes], mode: int | None, sync: Sync) -> None:
    with os.fdopen(os.open(part, _NEW, 0o666 if mode is None else 0o600, dir_fd=folder), "wb") as file:
        if mode is not None:
            os.fchmod(file.fileno(), mode)
        file.writelines((data,) if isinstance(data, bytes) else data)
        file.flush()
        sync(file.fileno())


def _part(name: str) -> str:
    return f".{name}.{secrets.token_hex(4)}.part"


def _forget(folder: int, part: str) -> None:
    try:
        os.unlink(part, dir_fd=folder)
    except FileNotFoundError:
        return
