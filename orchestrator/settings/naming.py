"""Session prefixes: made from a folder's name where none is written, and unlike each other."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

_MAX = 16


def derive_prefix(folder: str) -> str:
    """A short prefix from a folder's name, by the reference system's rule, in small letters.

    Up to four characters stay; two or more capitals are taken (`PyTorch` is `pt`); of words joined by
    `-` or `_` the initials are taken (`my-web-app` is `mwa`); else the first three characters.
    """
    words = [word for word in re.split(r"[^A-Za-z0-9]+", folder) if word]
    plain = "".join(words)
    capitals = "".join(char for char in folder if char.isascii() and char.isupper())
    if len(folder) <= 4 and plain:
        chosen = plain
    elif len(capitals) >= 2 and not folder.isupper():
        chosen = capitals
    elif len(words) > 1:
        chosen = "".join(word[0] for word in words)
    else:
        chosen = plain[:3]
    return chosen.lower()[:_MAX] or "ao"


def free_prefix(wanted: str, taken: Collection[str]) -> str:
    """`wanted`, or `wanted` with the smallest number that makes it free."""
    if wanted not in taken:
        return wanted
    numbered = (f"{wanted[: _MAX - len(str(number))]}{number}" for number in range(2, len(taken) + 3))
    return next(prefix for prefix in numbered if prefix not in taken)


def shared_prefixes(prefixes: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Prefixes that several projects (the keys) have, with those projects."""
    owners: dict[str, list[str]] = {}
    for project, prefix in prefixes.items():
        owners.setdefault(prefix, []).append(project)
    return {prefix: tuple(projects) for prefix, projects in owners.items() if len(projects) > 1}
