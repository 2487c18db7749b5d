"""Keys of the guard in a configuration: what no push changes unreleased."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from orchestrator.domain.guard import Guard
from orchestrator.errors import BadInput
from orchestrator.settings.base import Keys
from orchestrator.settings.values import AtLeastOne, by


def _pattern(text: str) -> str:
    path = text.strip()
    if not path or path.startswith(("~", "!")) or ".." in path.split("/") or "\0" in path:
        msg = f"{text!r} is no pattern of paths in the repository, as `infra/**` or `*.tf` are"
        raise BadInput(msg)
    return path


PathPattern = Annotated[str, AfterValidator(by(_pattern)), Field(max_length=300)]


class GuardKeys(Keys):
    """What a push waits for a person with. Patterns as in `.gitignore`, in any case of letters."""

    enabled: bool | None = Field(default=None, description="False: every push goes out unlooked at.")
    paths: tuple[PathPattern, ...] = Field(
        default=(), description="Guarded besides the built-in ones: `infra/**`, `*.tf`."
    )
    allow: tuple[PathPattern, ...] = Field(
        default=(), description="Freed from the built-in ones. Counts only once this file is trusted."
    )
    max_files: AtLeastOne | None = Field(default=None, description="Files that a push may change: 300.")
    max_lines: AtLeastOne | None = Field(
        default=None, description="Lines that a push may add and delete, all together: 20000."
    )
    max_file_bytes: AtLeastOne | None = Field(
        default=None, description="Bytes that one file of a push may have: 5000000."
    )
    secrets: bool | None = Field(
        default=None, description="Whether tokens and private keys in added lines are looked for: true."
    )


def joined(*layers: GuardKeys) -> Guard:
    """One guard: lists are added up, of everything else the last that is written counts."""
    written = {
        name: value
        for layer in layers
        for name in ("enabled", "max_files", "max_lines", "max_file_bytes", "secrets")
        if (value := getattr(layer, name)) is not None
    }
    return Guard(
        paths=tuple(dict.fromkeys(path for layer in layers for path in layer.paths)),
        allow=tuple(dict.fromkeys(path for layer in layers for path in layer.allow)),
        **written,
    )
