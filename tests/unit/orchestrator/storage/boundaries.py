"""Fault hooks for the storage's tests."""

from __future__ import annotations

import errno

from typing_extensions import override

from orchestrator.storage.faults import Faults


class Counted(Faults):
    """Remembers every boundary."""

    def __init__(self) -> None:
        self.names: list[str] = []

    @override
    def reached(self, boundary: str) -> None:
        self.names.append(boundary)


class DiskFull(Faults):
    """The disk is full at the named boundaries while `on`."""

    def __init__(self, *names: str) -> None:
        self._names = names
        self.on = True

    @override
    def reached(self, boundary: str) -> None:
        if self.on and boundary in self._names:
            raise OSError(errno.ENOSPC, "No space left on device")
