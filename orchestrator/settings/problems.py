"""What is wrong with a configuration: where it stands, what it is, and what may have been meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from typing_extensions import override

KeyPath: TypeAlias = tuple[str | int, ...]
"""Where a value stands in a configuration: `("projects", "app", "symlinks", 0)`."""


class Grade(StrEnum):
    """How bad a problem is."""

    ERROR = "error"
    """The configuration is wrong anywhere; nothing is started with it."""
    NOT_READY = "not ready here"
    """It is right, but something that it names is absent on this machine."""
    WARNING = "warning"
    """It can be read, and does not do what was meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One problem, as `ao config check` prints it."""

    grade: Grade
    message: str
    file: Path
    line: int = 0
    """Counted from 1; 0 where no line can be named."""
    path: str = ""
    """Keys from the top, as written in the file: `projects.app.agent`."""
    nearest: str = ""
    """What may have been meant."""

    @override
    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        key = f" {self.path}:" if self.path else ""
        hint = f" Did you mean {self.nearest}?" if self.nearest else ""
        return f"{place}:{key} {self.message}{hint}"


@dataclass(frozen=True, slots=True)
class Spot:
    """One line of one file, and how the keys that lead there are shown."""

    file: Path
    line: int
    prefix: KeyPath = ()
    """Keys that we put in front when several files were read as one; not shown."""


@dataclass(frozen=True, slots=True)
class Spots:
    """Where each value of a configuration came from, over all its files."""

    main: Path
    by_path: Mapping[KeyPath, Spot] = field(default_factory=dict)

    def find(self, path: KeyPath) -> Spot:
        """The place of a value, or of the nearest thing around it that was written."""
        for length in range(len(path), -1, -1):
            spot = self._exact(path[:length])
            if spot is not None:
                return spot
        return Spot(self.main, 0)

    def problem(self, path: KeyPath, message: str, grade: Grade = Grade.ERROR, nearest: str = "") -> Problem:
        """A problem at `path`."""
        spot = self.find(path)
        shown = path[len(spot.prefix) :] if path[: len(spot.prefix)] == spot.prefix else path
        return Problem(
            grade=grade, message=message, file=spot.file, line=spot.line, path=join(shown), nearest=nearest
        )

    def _exact(self, path: KeyPath) -> Spot | None:
        if path in self.by_path:
            return self.by_path[path]
        for index, part in enumerate(path):
            if isinstance(part, str):
                path = (*path[:index], self._as_written(path[:index], part), *path[index + 1 :])
        return self.by_path.get(path)

    def _as_written(self, parent: KeyPath, key: str) -> str:
        for spelling in (key, camel(key), snake(key)):
            if (*parent, spelling) in self.by_path:
                return spelling
        return key


def join(path: KeyPath) -> str:
    """The keys of a path as one text."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def camel(key: str) -> str:
    """`default_branch` as `defaultBranch`; other keys stay."""
    return re.sub(r"(?<=[a-z0-9])_([a-z0-9])", lambda match: match.group(1).upper(), key)


def snake(key: str) -> str:
    """`defaultBranch` as `default_branch`; other keys stay."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: f"_{match.group(1).lower()}", key)


def nearest(key: str, known: Collection[str]) -> str:
    """The known key that `key` most resembles, or nothing when none does."""
    lowered = {name.lower().replace("_", "").replace("-", ""): name for name in known}
    wanted = key.lower().replace("_", "").replace("-", "")
    found = difflib.get_close_matches(wanted, lowered, n=1, cutoff=0.6)
    return lowered[found[0]] if found else ""


def errors(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Those that forbid a start."""
    return tuple(problem for problem in problems if problem.grade is Grade.ERROR)
