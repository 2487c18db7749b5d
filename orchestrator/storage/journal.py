"""One append-only file of lines: healed when it is opened, synced at every append. Blocking."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from orchestrator.disk import make_folder, sync_file, sync_folder, write_all
from orchestrator.errors import TemporaryError
from orchestrator.storage.damage import Damaged, free_name, write_failed
from orchestrator.storage.faults import Faults

_APPEND = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
_BLOCK = 64 * 1024


class Journal:
    """A file that only grows. `name` names its boundaries (`log`)."""

    def __init__(self, path: Path, faults: Faults, name: str) -> None:
        self.path = path
        self.size = 0
        self._faults = faults
        self._name = name
        self._descriptor = -1

    @property
    def is_open(self) -> bool:
        """Whether lines can be appended."""
        return self._descriptor >= 0

    def open(self, is_line: Callable[[bytes], bool]) -> tuple[Damaged, ...]:
        """Open the file, making it where it is not; cut off what a crash left of the last append.

        That was never acknowledged. It is kept beside the file all the same, and told.
        Raises `TemporaryError`.
        """
        try:
            make_folder(self.path.parent)
            is_new = not self.path.exists()
            self._descriptor = os.open(self.path, _APPEND, 0o600)
            if is_new:
                sync_folder(self.path.parent)
            self.size = os.fstat(self._descriptor).st_size
            return self._heal(is_line)
        except OSError as error:
            raise write_failed(self.path, error) from error

    def _heal(self, is_line: Callable[[bytes], bool]) -> tuple[Damaged, ...]:
        whole = self._whole_size(is_line)
        if whole == self.size:
            return ()
        kept_as = free_name(self.path, "torn")
        torn = os.pread(self._descriptor, self.size - whole, whole)
        beside = os.open(kept_as, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            write_all(beside, torn)
            sync_file(beside)
        finally:
            os.close(beside)
        sync_folder(self.path.parent)
        os.ftruncate(self._descriptor, whole)
        sync_file(self._descriptor)
        self.size = whole
        reason = f"its end was not written whole; {len(torn)} bytes after byte {whole} were cut off"
        return (Damaged(path=self.path, reason=reason, kept_as=kept_as),)

    def _whole_size(self, is_line: Callable[[bytes], bool]) -> int:
        """Size up to the end of the last whole line."""
        end = self.size
        while end > 0:
            begin = self._line_begin(end - 1)
            line = os.pread(self._descriptor, end - begin, begin)
            if line.endswith(b"\n") and is_line(line[:-1]):
                return end
            end = begin
        return 0

    def _line_begin(self, end: int) -> int:
        """Where the line begins that reaches up to `end`, its newline not counted."""
        while end > 0:
            begin = max(end - _BLOCK, 0)
            found = os.pread(self._descriptor, end - begin, begin).rfind(b"\n")
            if found >= 0:
                return begin + found + 1
            end = begin
        return 0

    def append(self, lines: Sequence[bytes]) -> None:
        """Write lines and return when they are on the disk.

        Raises `TemporaryError` when the disk does not take them; the file is then as it was before.
        """
        content = b"".join(line + b"\n" for line in lines)
        try:
            write_all(self._descriptor, content)
            self._faults.reached(f"{self._name}.written")
            sync_file(self._descriptor)
        except OSError as error:
            self._take_back(error)
            raise write_failed(self.path, error) from error
        self._faults.reached(f"{self._name}.kept")
        self.size += len(content)

    def _take_back(self, reason: OSError) -> None:
        """Remove what was written of a failed append, else the next line would follow on half a line."""
        try:
            os.ftruncate(self._descriptor, self.size)
        except OSError as error:
            self.close()
            msg = f"{self.path} could not be written ({reason.strerror}) nor mended ({error.strerror})."
            raise TemporaryError(msg, next_step="Restart ao when the disk works again.") from error

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
