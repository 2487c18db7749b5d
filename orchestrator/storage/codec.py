"""Values of the domain to and from documents of JSON's own types. Strict: what does not fit is damage.

The one place where msgspec is met.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from orchestrator.domain.event import Event
from orchestrator.domain.session import Session
from orchestrator.storage.migrations import BUILT_IN, Document, Migrations

T = TypeVar("T")
_NESTED = (dict, list)


@dataclass(frozen=True, slots=True)
class Form(Generic[T]):
    """How one kind of value is kept."""

    kind: str
    type: type[T]
    migrations: Migrations = BUILT_IN

    def __post_init__(self) -> None:
        # msgspec learns a type when it first meets it, and crashes the process where two threads do at once.
        msgspec.json.Decoder(self.type)

    @property
    def version(self) -> int:
        """The version that is written today."""
        return self.migrations.current[self.kind]

    def to_document(self, value: T) -> Document:
        """The value as a document, with the version of its form.

        Raises `ValueError` for what `from_document` would refuse: nothing is kept that cannot be read.
        """
        fields = msgspec.to_builtins(value)
        msgspec.convert(fields, self.type)
        return {"v": self.version, **fields}

    def from_document(self, document: object) -> T:
        """The value that was kept, brought to today's form.

        Raises `ValueError` with words for what is missing, of another type, or unknown, and
        `NotReady` for what a newer program wrote.
        """
        if not isinstance(document, dict):
            msg = "it is no JSON object"
            raise ValueError(msg)
        fields = dict(self.migrations.upgrade(self.kind, document))
        del fields["v"]
        value = msgspec.convert(fields, self.type)
        unknown = _unknown_key(fields, msgspec.to_builtins(value))
        if unknown:
            msg = f"it has a key that nobody knows: {unknown}"
            raise ValueError(msg)
        return value


def _unknown_key(kept: Any, understood: Any, path: str = "") -> str:  # noqa: ANN401 - JSON of any shape
    """Path of the first key in `kept` that is not in `understood`; empty when there is none.

    msgspec drops unknown keys of dataclasses silently; dropping what was kept would lose it.
    """
    if isinstance(kept, dict):
        for key, value in kept.items():
            if key not in understood:
                return f"{path}{key}"
            if isinstance(value, _NESTED) and (
                found := _unknown_key(value, understood[key], f"{path}{key}.")
            ):
                return found
    elif isinstance(kept, list):
        for number, value in enumerate(kept):
            if isinstance(value, _NESTED) and (
                found := _unknown_key(value, understood[number], f"{path}{number}.")
            ):
                return found
    return ""


SESSION = Form("session", Session)
EVENT = Form("event", Event)


def to_json(document: Document) -> bytes:
    """One line of JSON without its newline. ASCII only, so that no text from outside can break a line.

    Raises `ValueError` for numbers that JSON does not have.
    """
    return json.dumps(document, allow_nan=False, separators=(",", ":")).encode("ascii")


def from_json(line: bytes) -> Any:  # noqa: ANN401 - JSON of any shape
    """What a line of JSON holds. Raises `ValueError`."""
    return json.loads(line)
