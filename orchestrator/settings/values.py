"""Kinds of values that a configuration holds: durations, sizes, names, each checked as it is read."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from orchestrator.domain import ids
from orchestrator.errors import BadInput

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h|d)")
_DURATION_SCHEMA = {
    "type": "string",
    "pattern": "^[0-9]+(\\.[0-9]+)?\\s*(ms|s|m|h|d)$",
    "examples": ["30s", "10m"],
}
_NEITHER = "{!r} is no duration: write a number with its unit, as 30s, 10m, 2h or 1d"


def seconds(value: object) -> float:
    """`10m` as 600.0. Anything else, a bare number too, is an error and never 0."""
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match:
        raise ValueError(_NEITHER.format(value))
    return float(match.group(1)) * _UNITS[match.group(2)]


def milliseconds(value: object) -> int:
    """A whole number of milliseconds, as the reference system writes it, or a duration with its unit."""
    if isinstance(value, int) and not isinstance(value, bool):
        if value < 0:
            msg = "a duration is not negative"
            raise ValueError(msg)
        return value
    if isinstance(value, str) and value.strip().isdigit():
        return int(value)
    try:
        return round(seconds(value) * 1000)
    except ValueError as error:
        msg = f"{error}; a bare number counts milliseconds"
        raise ValueError(msg) from None


def duration_text(value: float) -> str:
    """600.0 as `10m`: the largest unit that leaves a whole number."""
    for unit in ("d", "h", "m", "s"):
        if value >= _UNITS[unit] and value % _UNITS[unit] == 0:
            return f"{int(value // _UNITS[unit])}{unit}"
    return f"{value:g}s"


def tries_or_seconds(value: object) -> int | float:
    """`2` as a number of tries, `30m` as seconds. The kind of number tells which it is."""
    if isinstance(value, int) and not isinstance(value, bool):
        if value < 0:
            msg = "a number of tries is not negative"
            raise ValueError(msg)
        return value
    try:
        return seconds(value)
    except ValueError:
        msg = f"{value!r} is neither a number of tries (2) nor a duration (30m)"
        raise ValueError(msg) from None


def _not_bool(value: object) -> object:
    if isinstance(value, bool):
        msg = "a number is needed"
        raise ValueError(msg)
    return value


def by(check: Callable[[str], str]) -> Callable[[str], str]:
    """A domain rule as pydantic wants it: its words, as a `ValueError`."""

    def checked(text: str) -> str:
        try:
            return check(text)
        except BadInput as error:
            raise ValueError(error.what.rstrip(".")) from None

    return checked


def _inside(path: str) -> str:
    parts = path.split("/")
    if not path or path.startswith(("/", "~")) or ".." in parts or "\0" in path:
        msg = f"{path!r} must be a path inside the repository, without `..`"
        raise ValueError(msg)
    return path


def _prefix(text: str) -> str:
    return ids.session_prefix(text.lower())


Seconds = Annotated[
    float,
    BeforeValidator(seconds),
    PlainSerializer(duration_text, return_type=str),
    WithJsonSchema(_DURATION_SCHEMA),
]
Milliseconds = Annotated[
    int,
    BeforeValidator(milliseconds),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, _DURATION_SCHEMA]}),
]
TriesOrSeconds = Annotated[
    int | float,
    BeforeValidator(tries_or_seconds),
    PlainSerializer(lambda value: value if isinstance(value, int) else duration_text(value)),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, _DURATION_SCHEMA]}),
]
Count = Annotated[int, BeforeValidator(_not_bool), Field(ge=0)]
AtLeastOne = Annotated[int, BeforeValidator(_not_bool), Field(ge=1)]
Port = Annotated[int, BeforeValidator(_not_bool), Field(ge=1, le=65535)]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9@][A-Za-z0-9@/._-]*$")]
ProjectName = Annotated[str, AfterValidator(by(ids.project_id))]
Branch = Annotated[str, AfterValidator(by(ids.branch_name))]
Prefix = Annotated[str, AfterValidator(by(_prefix))]
Repo = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$")]
InsidePath = Annotated[str, AfterValidator(_inside)]
Command = Annotated[str, Field(min_length=1, max_length=10_000)]
