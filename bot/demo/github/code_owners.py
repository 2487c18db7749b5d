"""CODEOWNERS: whose review a changed file asks for. Pure.

https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
"""

from __future__ import annotations

import re
from collections.abc import Iterable

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")


def _pattern(text: str) -> re.Pattern[str]:
    anchored = "/" in text.rstrip("/")
    body = re.escape(text.strip("/"))
    body = (
        body.replace(r"\*\*/", "(?:.*/)?")
        .replace(r"\*\*", ".*")
        .replace(r"\*", "[^/]*")
        .replace(r"\?", "[^/]")
    )
    start = "" if anchored else "(?:.*/)?"
    # A trailing /* takes files of that folder alone; anything else takes what lies below too.
    end = r"\Z" if text.endswith("/*") else r"(?:/.*)?\Z"
    return re.compile(start + body + ("/.*" if text.endswith("/") and text != "/" else "") + end)


def owners(text: str, paths: Iterable[str]) -> tuple[str, ...]:
    """Logins (without @) that own any of these files; the last line that matches a file counts."""
    lines = [line.split("#", 1)[0].split() for line in text.splitlines()]
    rules = [(_pattern(words[0]), words[1:]) for words in lines if words]
    found: dict[str, None] = {}
    for path in paths:
        mine = next((names for pattern, names in reversed(rules) if pattern.match(path)), [])
        found |= dict.fromkeys(name.lstrip("@") for name in mine)
    return tuple(found)
