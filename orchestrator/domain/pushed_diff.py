"""What a push would bring, file by file: what a branch has that its base has not. All text is outside text."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SYMLINK = "120000"
SUBMODULE = "160000"
"""Modes of git's trees that are no plain files."""


class FileStatus(StrEnum):
    """What became of a file."""

    ADDED = "added"
    MODIFIED = "modified"
    DELETED = "deleted"
    RENAMED = "renamed"
    RETYPED = "retyped"
    """Another kind of thing than before: a file that is a symbolic link now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedFile:
    """One file of a push."""

    path: str
    status: FileStatus
    old_path: str = ""
    """Where it was before a rename; else empty."""
    mode: str = ""
    """Mode in the head's tree (`100644`, `100755`, `120000`, `160000`); empty where it is deleted."""
    old_mode: str = ""
    blob: str = ""
    """Name of the head's content; with `old_blob` it stands for the whole change where `hunks` does not."""
    old_blob: str = ""
    added: int = 0
    deleted: int = 0
    """Lines; 0 for a binary file."""
    size: int = 0
    """Bytes in the head."""
    binary: bool = False
    hunks: str = ""
    """The change as git shows it, from the first `@@` on; of a small binary file its text as added lines."""
    cut: bool = False
    """`hunks` is not the whole change: it was too large to be read."""

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path that it touches."""
        return (self.old_path, self.path) if self.old_path else (self.path,)

    @property
    def added_text(self) -> str:
        """The lines that it brings, without their sign."""
        return "\n".join(line[1:] for line in self.hunks.split("\n") if line[:1] == "+")


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedDiff:
    """Everything between the newest common commit of base and head, and the head."""

    base: str
    """That common commit; empty where they have none: then every file is new."""
    head: str
    files: tuple[PushedFile, ...] = ()
    passing: str = ""
    """Lines that commits on the way bring and later ones take away again: they are pushed too. Bounded."""
    messages: str = ""
    """What the commits on the way say of themselves: subjects and bodies. Bounded."""
