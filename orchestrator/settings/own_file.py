"""The configuration that a repository has of its own, as far as another file can take it over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.settings import discovery
from orchestrator.settings.document import Data
from orchestrator.settings.effective import Settings
from orchestrator.settings.problems import camel
from orchestrator.settings.shapes import assemble

_BESIDE = ("tracker", "scm")
"""Blocks whose `path` starts at the file that it stands in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnFile:
    """What one file says of one project."""

    path: Path
    id: str = ""
    keys: Mapping[str, Data] = field(default_factory=dict)
    """As written, in camelCase, without the project's path."""
    left: tuple[str, ...] = ()
    """Keys that only count in that file."""


def read(settings: Settings, env: Mapping[str, str], folder: Path) -> OwnFile | None:
    """What these settings' file says of the project in `folder`; None when it has no such project."""
    name = next((p for p in settings.project_ids if settings.folder(p).resolve() == folder.resolve()), None)
    data = assemble(settings.main, discovery.ao_home(env), discovery.user_home(env)).data
    projects = data.get("projects")
    written = projects.get(name) if isinstance(projects, dict) and name else None
    if name is None or not isinstance(written, dict):
        return None
    keys = {camel(key): value for key, value in written.items() if key != "path"}
    bound = [key for key in _BESIDE if _is_beside(keys.get(key))]
    whole = [key for key in data if key not in {"projects", "$schema"}]
    kept = {key: value for key, value in keys.items() if key not in bound}
    return OwnFile(path=settings.main, id=name, keys=kept, left=(*whole, *bound))


def _is_beside(block: Data) -> bool:
    return isinstance(block, dict) and "path" in block
