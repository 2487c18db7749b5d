"""What was found broken in the kept files, and where it was put."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

from orchestrator.errors import TemporaryError


@dataclass(frozen=True, slots=True, kw_only=True)
class Damaged:
    """One file, or the end of one, that could not be read. The rest goes on without it."""

    path: Path
    reason: str
    """In words, for a person."""
    kept_as: Path | None = None
    """Where what could not be read lies now; None where it was left in its place."""

    @override
    def __str__(self) -> str:
        where = f" What it held is kept in {self.kept_as}." if self.kept_as else ""
        return f"{self.path}: {self.reason}.{where}"


def free_name(path: Path, suffix: str) -> Path:
    """The first of `path.suffix-1`, `path.suffix-2`, … that is not there."""
    number = 1
    while (found := path.with_name(f"{path.name}.{suffix}-{number}")).exists():
        number += 1
    return found


def write_failed(path: Path, error: OSError) -> TemporaryError:
    """The error for a write that did not happen; what was kept before is intact."""
    reason = error.strerror or str(error)
    return TemporaryError(
        f"{path} could not be written: {reason}.",
        delay=30.0,
        next_step="What was kept before is intact. Make room on the disk, then it goes on by itself.",
    )
