"""The difference of two trees in memory, as a forge's `diff` gives it. No git."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping

from orchestrator.domain.pushed_diff import FileStatus, PushedDiff, PushedFile

Tree = Mapping[str, bytes]
"""Path -> content."""


def between(base: str, before: Tree, head: str, after: Tree) -> PushedDiff:
    """What `after` has that `before` has not; every file is a plain one, and none is renamed."""
    names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    files = tuple(_file(name, before.get(name), after.get(name)) for name in names)
    return PushedDiff(base=base, head=head, files=files)


def _file(name: str, old: bytes | None, new: bytes | None) -> PushedFile:
    status = FileStatus.ADDED if old is None else FileStatus.DELETED if new is None else FileStatus.MODIFIED
    lines = list(difflib.unified_diff(_lines(old), _lines(new), lineterm=""))[2:]
    return PushedFile(
        path=name,
        status=status,
        mode="" if new is None else "100644",
        old_mode="" if old is None else "100644",
        blob=_blob(new),
        old_blob=_blob(old),
        added=sum(line[:1] == "+" for line in lines),
        deleted=sum(line[:1] == "-" for line in lines),
        size=len(new or b""),
        hunks="".join(f"{line}\n" for line in lines),
    )


def _lines(content: bytes | None) -> list[str]:
    return (content or b"").decode(errors="replace").splitlines()


def _blob(content: bytes | None) -> str:
    return "0" * 40 if content is None else hashlib.sha256(content).hexdigest()[:40]
