"""A file that is replaced is the old one or the new one, and lies on the disk when the call returns."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins._shared import whole_file


def test_the_file_is_synced_before_it_takes_its_place_and_the_folder_after(tmp_path: Path) -> None:
    path = tmp_path / "workspaces" / "demo-1.json"
    seen: list[tuple[str, bool]] = []

    def sync(descriptor: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        seen.append((kind, path.exists()))

    whole_file.replace(path, b"new", sync=sync)
    assert seen == [("folder", False), ("file", False), ("folder", True)]
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o600)
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_what_breaks_off_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "index"
    path.write_bytes(b"old")

    def pieces() -> Iterator[bytes]:
        yield b"half"
        msg = "too large"
        raise ValueError(msg)

    with pytest.raises(ValueError, match="too large"):
        whole_file.replace(path, pieces())
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("index", b"old")]


def test_a_name_that_is_taken_stays_as_it_is(tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        assert whole_file.create_at(folder, "1.md", b"one")
        assert not whole_file.create_at(folder, "1.md", b"two")
    finally:
        os.close(folder)
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("1.md", b"one")]
