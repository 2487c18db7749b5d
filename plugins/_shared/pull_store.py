"""Pull requests of the local forge as flat files: one JSON document each, replaced atomically.

Git's refs are the truth about commits (`plugins/_shared/local_forge.py`); a record holds what git
cannot: words, reviews, results of checks. The calls block: run them in an executor of your own.
"""

from __future__ import annotations

import dataclasses
import errno
import json
import re
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from orchestrator.domain.pull_request import CheckRun, PullRequestState, Review, ReviewComment
from orchestrator.errors import DamagedFile, TemporaryError
from plugins._shared import whole_file

VERSION = 1
"""Of the kept form."""

_NAME = re.compile(r"([1-9][0-9]{0,8})\.json(\.damaged(?:-[0-9]+)?)?")
_LIMIT = 16_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRecord:
    """One pull request as kept."""

    number: int
    session: str
    """The session that it belongs to: our mark."""
    branch: str
    base: str
    title: str
    body: str = ""
    state: PullRequestState = PullRequestState.OPEN
    head: str = ""
    """The newest head that was dealt with; the forge's ref may be ahead of it after a crash."""
    additions: int = 0
    deletions: int = 0
    files: int = 0
    notes: tuple[str, ...] = ()
    runs: dict[str, tuple[CheckRun, ...]] = field(default_factory=dict)
    """Check runs by head, the newest head last."""
    reviews: tuple[Review, ...] = ()
    comments: tuple[ReviewComment, ...] = ()
    merge_commit: str = ""
    opened_at: float = 0.0


class PullStore:
    """The records of one forge. One process writes them at a time (`$AO_HOME` is locked)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self) -> tuple[dict[int, PullRecord], dict[int, str]]:
        """All records by number, and for each damaged one the reason; it is set aside, not removed."""
        records: dict[int, PullRecord] = {}
        damaged: dict[int, str] = {}
        names = sorted(path.name for path in self.folder.iterdir()) if self.folder.is_dir() else []
        for found in filter(None, map(_NAME.fullmatch, names)):
            number = int(found[1])
            if found[2]:
                damaged.setdefault(number, _set_aside_words(number, self.folder / found[0]))
                continue
            try:
                records[number] = self._read(number)
            except DamagedFile as error:
                damaged[number] = error.what
        return records, {number: words for number, words in damaged.items() if number not in records}

    def write(self, record: PullRecord) -> None:
        """Keep a record durably. Raises `TemporaryError` when it cannot be written; the old one stays."""
        document = {"v": VERSION, **dataclasses.asdict(record)}
        data = json.dumps(document, ensure_ascii=False, indent=1).encode(errors="replace")
        path = self.folder / f"{record.number}.json"
        try:
            whole_file.replace(path, data)
        except OSError as error:
            full = error.errno in {errno.ENOSPC, errno.EDQUOT}
            words = "the disk is full" if full else (error.strerror or str(error))
            msg = f"Pull request {record.number} could not be kept: {words}."
            raise TemporaryError(msg, delay=30.0 if full else 5.0) from error

    def _read(self, number: int) -> PullRecord:
        path = self.folder / f"{number}.json"
        try:
            if path.stat().st_size > _LIMIT:
                return self._damaged(number, path, "it is too large")
            document = json.loads(path.read_bytes())
            version = document.pop("v") if isinstance(document, dict) else None
            if isinstance(version, int) and version > VERSION:
                msg = f"Pull request {number} was written by a newer version of Agent Orchestrator ({path})."
                raise DamagedFile(msg)
            record: PullRecord = _make(PullRecord, document)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            return self._damaged(number, path, str(error))
        except OSError as error:
            msg = f"Pull request {number} cannot be read: {error.strerror} ({path})."
            raise DamagedFile(msg) from error
        return record if record.number == number else self._damaged(number, path, "its number is another")

    def _damaged(self, number: int, path: Path, why: str) -> PullRecord:
        aside = path.with_name(f"{path.name}.damaged")
        count = 1
        while aside.exists():
            count += 1
            aside = path.with_name(f"{path.name}.damaged-{count}")
        path.replace(aside)
        msg = f"{_set_aside_words(number, aside)} Reason: {why[:200]}."
        raise DamagedFile(msg)


def _set_aside_words(number: int, path: Path) -> str:
    return f"The record of pull request {number} is damaged; it was set aside as {path}."


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _make(kind: Any, value: Any) -> Any:  # noqa: ANN401 - the value of a JSON document, checked here
    """`value` as an instance of `kind`. Raises `ValueError` for anything that does not fit exactly."""
    origin = get_origin(kind)
    if origin is tuple:
        return tuple(_make(get_args(kind)[0], item) for item in _fitting(value, list))
    if origin is dict:
        return {
            _make(str, key): _make(get_args(kind)[1], item) for key, item in _fitting(value, dict).items()
        }
    if origin in {types.UnionType, Union}:
        return None if value is None else _make(get_args(kind)[0], value)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = _hints(kind)
        document = _fitting(value, dict)
        if unknown := document.keys() - hints.keys():
            msg = f"unknown field {min(unknown)!r}"
            raise ValueError(msg)
        return kind(**{name: _make(hints[name], item) for name, item in document.items()})
    if issubclass(kind, Enum):
        return kind(value)
    if kind is float and type(value) is int:
        return float(value)
    return _fitting(value, kind)


def _fitting(value: Any, kind: type) -> Any:  # noqa: ANN401 - see _make
    if type(value) is not kind:
        msg = f"{kind.__name__} expected, not {type(value).__name__}"
        raise ValueError(msg)
    return value
