"""Files beneath a folder that is not ours, opened without following links out of it.

A repository can hold a link where a folder or a file is expected; a plain open would read or write
wherever it points to. Here every step below the root is opened by itself and a link is refused.
The calls block: run them in an executor of your own.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from orchestrator.errors import BadInput, NotFound, PermanentError, TemporaryError
from plugins._shared import whole_file

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_LINKED = (errno.ELOOP, errno.ENOTDIR)


def parts_of(path: str) -> tuple[str, ...]:
    """The names in a relative path. Raises `BadInput` for one that leads elsewhere."""
    parts = tuple(part for part in path.split("/") if part not in {"", "."})
    if path.startswith("/") or ".." in parts or "\x00" in path or not parts:
        msg = f"{path!r} must be a relative path that stays inside its folder."
        raise BadInput(msg)
    return parts


@contextmanager
def folder(root: Path, parts: Sequence[str], *, make: bool = False, mode: int = 0o777) -> Iterator[int]:
    """A descriptor of the folder `parts` beneath `root`; with `make`, missing ones are made with `mode`.

    Raises `NotFound` when it is not there, and `PermanentError` when a step is a link or a file.
    """
    try:
        fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise _explained(error, str(root)) from error
    try:
        for part in parts:
            fd = _step(fd, part, make=make, mode=mode)
        yield fd
    finally:
        os.close(fd)


def read(fd: int, name: str, limit: int) -> bytes:
    """A regular file in an open folder. Raises `NotFound`, or `PermanentError` beyond `limit` bytes."""
    try:
        handle = os.open(name, _FILE, dir_fd=fd)
    except OSError as error:
        raise _explained(error, name) from error
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            msg = f"{name} is no regular file."
            raise PermanentError(msg)
        data = file.read(limit + 1)
    if len(data) > limit:
        msg = f"{name} is larger than {limit} bytes."
        raise PermanentError(msg)
    return data


def read_part(fd: int, name: str, limit: int, offset: int = 0) -> bytes:
    """At most `limit` bytes of a regular file from `offset`; a negative one counts from the file's end."""
    try:
        handle = os.open(name, _FILE, dir_fd=fd)
    except OSError as error:
        raise _explained(error, name) from error
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            msg = f"{name} is no regular file."
            raise PermanentError(msg)
        file.seek(offset if offset >= 0 else max(found.st_size + offset, 0))
        return file.read(limit)


def entries(fd: int) -> list[tuple[str, os.stat_result]]:
    """What an open folder holds, by name. Links are described themselves, not what they point to."""
    found = []
    with os.scandir(fd) as each:
        for entry in each:
            try:
                found.append((entry.name, entry.stat(follow_symlinks=False)))
            except FileNotFoundError:
                continue  # Gone since the folder was read.
    return sorted(found, key=lambda pair: pair[0])


def kind(fd: int, name: str) -> str:
    """What stands under a name in an open folder: as `kind_of`, or empty when nothing does."""
    try:
        return kind_of(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return ""


def kind_of(mode: int) -> str:
    """`file`, `folder`, `link` or `other`."""
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "folder"
    return "link" if stat.S_ISLNK(mode) else "other"


def remove(fd: int, name: str) -> None:
    """Remove a file, a link itself, or a folder with all in it. Not there is no error."""
    try:
        if stat.S_ISDIR(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode):
            shutil.rmtree(name, dir_fd=fd)
        else:
            os.unlink(name, dir_fd=fd)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _explained(error, name) from error


def replace(fd: int, name: str, data: bytes, *, mode: int | None = None) -> None:
    """Replace a file in an open folder atomically, keeping its mode or giving it `mode`.

    A link is replaced by a file.
    """
    try:
        whole_file.replace_at(fd, name, data, mode=_mode_of(fd, name) if mode is None else mode)
    except OSError as error:
        raise _explained(error, name) from error


def create(fd: int, name: str, data: bytes) -> bool:
    """Make a file that must be new; False when the name is taken. It appears whole or not at all."""
    try:
        return whole_file.create_at(fd, name, data)
    except OSError as error:
        raise _explained(error, name) from error


def _step(fd: int, part: str, *, make: bool, mode: int) -> int:
    try:
        if make:
            with suppress(FileExistsError):
                os.mkdir(part, mode, dir_fd=fd)
        inner = os.open(part, _FOLDER, dir_fd=fd)
    except OSError as error:
        raise _explained(error, part) from error
    os.close(fd)
    return inner


def _mode_of(fd: int, name: str) -> int | None:
    try:
        found = os.stat(name, dir_fd=fd, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return stat.S_IMODE(found.st_mode) if stat.S_ISREG(found.st_mode) else None


def _explained(error: OSError, name: str) -> NotFound | PermanentError | TemporaryError:
    if error.errno == errno.ENOENT:
        return NotFound(f"{name} is not there.")
    if error.errno in _LINKED:
        return PermanentError(f"{name} is a link or no folder; links are not followed.")
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return TemporaryError(f"{name} cannot be written: the disk is full.", delay=30)
    return PermanentError(f"{name} cannot be used: {error.strerror or error}.")
