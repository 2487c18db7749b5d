"""Data files of the product: defaults, reactions, prompts, profiles, the schema.

They lie in `config/` of a checkout, and in `orchestrator/data` of an installed wheel.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from orchestrator.errors import NotFound

_HERE = Path(__file__).parent
_ROOTS = (_HERE / "data", _HERE.parent / "config")


def text(name: str) -> str:
    """The text of a data file: `text("agents/profile.yaml")`. Raises `NotFound`."""
    return _find(name).read_text(encoding="utf-8")


def names(folder: str, suffix: str = "") -> tuple[str, ...]:
    """The data files in `folder` that end in `suffix`, by name; a folder that is not there has none."""
    _check(folder)
    for root in _ROOTS:
        if (root / folder).is_dir():
            found = (path for path in (root / folder).iterdir() if path.is_file())
            return tuple(sorted(path.name for path in found if path.name.endswith(suffix)))
    return ()


def _find(name: str) -> Path:
    _check(name)
    for root in _ROOTS:
        if (root / name).is_file():
            return root / name
    msg = f"There is no data file {name!r}."
    raise NotFound(msg)


def _check(name: str) -> None:
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name:
        msg = f"{name!r} is no name of a data file."
        raise NotFound(msg)
