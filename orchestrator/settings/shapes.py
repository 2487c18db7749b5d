"""The three shapes of a configuration, brought into one: settings of the fleet with its projects.

*Wrapped*: settings and a `projects` map. *Flat*: one project's keys only, in that project's folder.
*Registry*: `$AO_HOME/config.yaml`, a wrapped file whose entries may be completed by a flat file in the
project's own folder; where both name a key, the registry's entry stands.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.settings.document import MAX_BYTES, Data, Document, parse
from orchestrator.settings.models import Config
from orchestrator.settings.problems import Grade, KeyPath, Problem, Spot, Spots, camel
from orchestrator.settings.project_model import ProjectKeys

FILE_NAMES = ("agent-orchestrator.yaml", "agent-orchestrator.yml")
"""What a configuration in a project's folder is called."""

REGISTRY_NAME = "config.yaml"
"""What the configuration in `$AO_HOME` is called."""

_FLEET_KEYS = {info.alias or name for name, info in Config.model_fields.items()}
_PROJECT_KEYS = {info.alias or name for name, info in ProjectKeys.model_fields.items()}
# Written into registry entries by the reference system, for its own bookkeeping.
_BOOKKEEPING = frozenset({"displayName", "originUrl", "projectId", "registeredAt", "source", "storageKey"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFile:
    """One file that was read, as it was when it was read."""

    path: Path
    digest: str
    """What a person trusts: changes with the content and with the place of the file."""


@dataclass(slots=True)
class Assembled:
    """A configuration in one piece, before its values are checked."""

    main: Path
    data: dict[str, Data] = field(default_factory=dict)
    places: dict[KeyPath, Spot] = field(default_factory=dict)
    files: list[ConfigFile] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def spots(self) -> Spots:
        """Where each value came from."""
        return Spots(self.main, self.places)


def assemble(path: Path, home: Path, user_home: Path, text: str | None = None) -> Assembled:
    """Read `path` and what belongs to it. `text` stands for the file's content (before an edit)."""
    result = Assembled(path)
    document = _read(result, path, text)
    if document is None:
        return result
    registry = home / REGISTRY_NAME
    if _is_flat(document.data):
        if _same(path, registry) or not _registered(registry, path.parent, user_home):
            _take_flat(result, document)
            return result
        return assemble(registry, home, user_home)
    result.data = document.data
    _place(result, document)
    if _same(path, registry):
        _complete(result, user_home)
    return result


def project_folder(written: str, base: Path, user_home: Path) -> Path:
    """A project's `path` as an absolute path."""
    if written == "~" or written.startswith("~/"):
        return user_home / written[2:]
    return (base / written).absolute()


def local_file(folder: Path) -> Path | None:
    """The configuration file in a project's folder, if there is one."""
    return next((folder / name for name in FILE_NAMES if (folder / name).is_file()), None)


def id_from_folder(folder: Path) -> str:
    """A project id made from a folder's name."""
    cleaned = re.sub(r"[^A-Za-z0-9_-]+", "-", folder.name).strip("-_")
    return cleaned[:64] or "project"


def digest(path: Path, content: bytes) -> str:
    """What a person trusts when trusting a file: its content, in its place."""
    return hashlib.sha256(str(path.resolve()).encode() + b"\0" + content).hexdigest()


def _read(result: Assembled, path: Path, text: str | None = None) -> Document | None:
    try:
        content = path.read_bytes() if text is None else text.encode()
    except OSError as error:
        _complain(result, path, f"This file cannot be read: {error.strerror or error}.")
        return None
    result.files.append(ConfigFile(path=path, digest=digest(path, content)))
    if len(content) > MAX_BYTES:
        _complain(result, path, f"A configuration holds {MAX_BYTES} bytes at most.")
        return None
    try:
        decoded = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _complain(result, path, f"This file is no UTF-8 text (byte {error.start}).")
        return None
    document = parse(decoded, path)
    result.problems.extend(document.problems)
    return document


def _complain(result: Assembled, path: Path, message: str) -> None:
    result.problems.append(Problem(grade=Grade.ERROR, message=message, file=path))


def _is_flat(data: dict[str, Data]) -> bool:
    keys = {camel(key) for key in data}
    return "projects" not in keys and bool(keys & (_PROJECT_KEYS - _FLEET_KEYS))


def _take_flat(result: Assembled, document: Document) -> None:
    """A project's own file that no registry knows: a fleet of this one project."""
    folder = document.file.parent
    name = id_from_folder(folder)
    own = _project_keys(result, document)
    result.data = {"projects": {name: {"path": str(folder.absolute()), **own}}}
    _place(result, document, ("projects", name))


def _registered(registry: Path, folder: Path, user_home: Path) -> bool:
    """Whether the registry has a project in `folder`. What is wrong with it shows when it is loaded."""
    found = Assembled(registry)
    document = _read(found, registry) if registry.is_file() else None
    projects = document.data.get("projects") if document else None
    entries = projects.values() if isinstance(projects, dict) else ()
    return any(
        isinstance(entry, dict)
        and isinstance(written := entry.get("path"), str)
        and _same(project_folder(written, registry.parent, user_home), folder)
        for entry in entries
    )


def _complete(result: Assembled, user_home: Path) -> None:
    """Lay each registry entry over the flat file in its project's folder."""
    projects = result.data.get("projects")
    if not isinstance(projects, dict):
        return
    for name, entry in projects.items():
        if not isinstance(entry, dict):
            continue
        entry = _identity(entry)
        projects[name] = entry
        written = entry.get("path")
        folder = project_folder(written, result.main.parent, user_home) if isinstance(written, str) else None
        local = local_file(folder) if folder else None
        if local and not _same(local, result.main):
            projects[name] = _overlay(result, name, entry, local)


def _identity(entry: dict[str, Data]) -> dict[str, Data]:
    """A registry entry without the reference system's own bookkeeping."""
    kept = {key: value for key, value in entry.items() if key not in _BOOKKEEPING and not key.startswith("_")}
    if "displayName" in entry:
        kept.setdefault("name", entry["displayName"])
    repo = kept.get("repo")
    if isinstance(repo, dict) and repo.get("owner") and repo.get("name"):
        kept["repo"] = f"{repo['owner']}/{repo['name']}"
    return kept


def _overlay(result: Assembled, name: str, entry: dict[str, Data], local: Path) -> dict[str, Data]:
    at: KeyPath = ("projects", name)
    document = _read(result, local)
    if document is None:
        return entry
    if document.data and not _is_flat(document.data):
        message = f"{local} is a whole configuration of its own; none of its keys are used here."
        result.problems.append(result.spots.problem(at, message, Grade.NOT_READY))
        return entry
    named = {camel(key) for key in entry}
    own = _project_keys(result, document)
    kept = {key: value for key, value in own.items() if camel(key) not in named}
    written = dict(result.places)
    _place(result, document, at)
    result.places.update(written)
    return {**kept, **entry}


def _project_keys(result: Assembled, document: Document) -> dict[str, Data]:
    """A flat file's keys; those of the whole fleet are refused, as they would have no effect there."""
    own: dict[str, Data] = {}
    for key, value in document.data.items():
        if camel(key) not in _FLEET_KEYS - _PROJECT_KEYS:
            own[key] = value
        elif key != "$schema":
            message = "This key belongs to the whole fleet: write it into $AO_HOME/config.yaml."
            line = document.lines.get((key,), 0)
            result.problems.append(
                Problem(grade=Grade.ERROR, message=message, file=document.file, line=line, path=key)
            )
    return own


def _place(result: Assembled, document: Document, prefix: KeyPath = ()) -> None:
    if prefix:
        result.places.setdefault(prefix, Spot(document.file, 1, prefix))
    for path, line in document.lines.items():
        result.places[(*prefix, *path)] = Spot(document.file, line, prefix)


def _same(left: Path, right: Path) -> bool:
    return left.resolve() == right.resolve()
