"""The files of the event log: `000001.jsonl` and on, one sequence over all of them. Blocking.

A line is found by its number with a binary search in the file, so that nothing is indexed at start.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from orchestrator.disk import make_folder, sync_folder
from orchestrator.storage.codec import from_json
from orchestrator.storage.damage import Damaged, write_failed
from orchestrator.storage.faults import Faults
from orchestrator.storage.journal import Journal

ROTATE_BYTES = 16 * 1024 * 1024

HEADER = re.compile(rb'\{"v":(\d+),"seq":(\d+),"id":"([^"\\]*)"')
"""How each line begins; `event_line` writes it so."""
_NAME = re.compile(r"(\d{6,})\.jsonl")
_NEAR = 4096
"""Bytes that are read through instead of searched on."""
_BLOCK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Segment:
    """One file, and the number of its first line."""

    path: Path
    first: int


class Segments:
    """All files of the log. One thread writes; any thread reads what is durable."""

    def __init__(self, folder: Path, faults: Faults, rotate_bytes: int = ROTATE_BYTES) -> None:
        self.folder = folder
        self._faults = faults
        self._rotate_bytes = rotate_bytes
        self._files: tuple[Segment, ...] = ()
        self._journal: Journal | None = None
        self.last_seq = 0

    def open(self) -> tuple[Damaged, ...]:
        """Heal the end of the newest file and find the last number. Returns what was cut off."""
        make_folder(self.folder)
        paths = self._paths()
        journal = Journal(paths[-1] if paths else self.folder / "000001.jsonl", self._faults, "log")
        damaged = journal.open(_is_line)
        self._journal = journal
        self.look()
        return damaged

    def look(self) -> None:
        """Find the last number, for reading only: nothing is made, healed or written."""
        self._files = tuple(_segments(self._paths()))
        self.last_seq = self._find_last()

    def _paths(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        return sorted((p for p in self.folder.iterdir() if _NAME.fullmatch(p.name)), key=_number)

    def _find_last(self) -> int:
        for segment in reversed(self._files):
            with segment.path.open("rb") as file:
                for line in _backwards(file):
                    if header := HEADER.match(line):
                        return int(header[2])
        return 0

    def close(self) -> None:
        """Close the file that is written."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def append(self, lines: Sequence[bytes]) -> None:
        """Write lines that follow on `last_seq`, and return when they are on the disk.

        Raises `TemporaryError` when the disk does not take them; none of them is then in the log.
        """
        if self._journal is None:
            msg = "the event log is not open"
            raise RuntimeError(msg)
        if self._journal.size >= self._rotate_bytes:
            self._journal = self._next(self._journal)
        begins_file = self._journal.size == 0
        self._journal.append(lines)
        if begins_file:
            self._files = (*self._files, Segment(self._journal.path, self.last_seq + 1))
        self.last_seq += len(lines)

    def _next(self, full: Journal) -> Journal:
        path = self.folder / f"{_number(full.path) + 1:06d}.jsonl"
        new = Journal(path, self._faults, "log")
        new.open(_is_line)
        try:
            self._faults.reached("log.rotated")
            sync_folder(self.folder)
        except OSError as error:
            new.close()
            raise write_failed(path, error) from error
        full.close()
        return new

    def lines_after(self, seq: int) -> Iterator[bytes]:
        """Durable lines with a higher number than `seq`, in order, damaged ones among them."""
        end = self.last_seq
        files = self._files
        begin = max(bisect_right([segment.first for segment in files], seq + 1) - 1, 0)
        for segment in files[begin:]:
            with segment.path.open("rb") as file:
                file.seek(_offset_after(file, seq))
                for line in file:
                    header = HEADER.match(line)
                    if header and int(header[2]) > end:
                        return
                    if not header or int(header[2]) > seq:
                        yield line

    def newest_first(self) -> Iterator[bytes]:
        """Durable lines that have a number, backwards."""
        end = self.last_seq
        for segment in reversed(self._files):
            with segment.path.open("rb") as file:
                for line in _backwards(file):
                    header = HEADER.match(line)
                    if header and int(header[2]) <= end:
                        yield line


def _number(path: Path) -> int:
    return int(path.name.split(".")[0])


def _is_line(line: bytes) -> bool:
    """Whether this is a whole line of ours."""
    if not HEADER.match(line):
        return False
    try:
        from_json(line)
    except ValueError:
        return False
    return True


def _segments(paths: Sequence[Path]) -> Iterator[Segment]:
    """The files that hold a line, with the number of their first."""
    for path in paths:
        with path.open("rb") as file:
            headers = (HEADER.match(line) for line in file)
            first = next((int(header[2]) for header in headers if header), None)
        if first is not None:
            yield Segment(path, first)


def _backwards(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file, without their newlines, the last one first."""
    end = file.seek(0, os.SEEK_END)
    rest = b""
    while end > 0:
        begin = max(end - _BLOCK, 0)
        file.seek(begin)
        rest, *lines = (file.read(end - begin) + rest).split(b"\n")
        yield from reversed(lines)
        end = begin
    yield rest


def _offset_after(file: BinaryIO, seq: int) -> int:
    """Where a line begins before which every line has a number of at most `seq`; near to the next one."""
    low, high = 0, file.seek(0, os.SEEK_END)
    while high - low > _NEAR:
        middle = (low + high) // 2
        file.seek(middle)
        file.readline()
        found = _next_header(file, high)
        if found is None or found[0] > seq:
            high = middle
        else:
            low = found[1]
    return low


def _next_header(file: BinaryIO, high: int) -> tuple[int, int] | None:
    """Number of the next line with a header that begins below `high`, and where the line after it begins."""
    while file.tell() < high:
        line = file.readline()
        header = HEADER.match(line)
        if header:
            return int(header[2]), file.tell()
        if not line:
            return None
    return None
