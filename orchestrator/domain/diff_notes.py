"""What a person should know of a diff before a merge: tests removed or skipped, dependencies changed. Pure.

A hint for a person, not a proof: it reads names and lines as common languages write them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

MOST_NAMES = 4
_TEST_FILE = re.compile(
    r"(?:^|/)(?:tests?|spec|__tests__)/|(?:^|/)test_[^/]*$|[._-](?:test|tests|spec)\.[a-z]+$|_test\.[a-z]+$|Tests?\.[a-z]+$"
)
_TEST = re.compile(
    r"^\s*(?:(?:async\s+)?def (test_\w+)"  # Python
    r"|(?:it|test|describe)\s*\(\s*(['\"`].{1,200}?['\"`])"  # JavaScript, TypeScript
    r"|func (Test\w+)\s*\("  # Go
    r"|(?:async )?fn (test_?\w+)\s*\("  # Rust
    r"|(?:public )?(?:void|fun) (test\w+)\s*\()"  # Java, Kotlin
)
_SKIP = re.compile(
    r"pytest\.mark\.(?:skip|skipif|xfail)|pytest\.skip\(|unittest\.skip|@(?:Disabled|Ignore)\b|#\[ignore"
    r"|\b(?:it|test|describe)\.(?:skip|only|todo)\b|\bx(?:it|describe|test)\(|\bt\.Skip(?:Now|f)?\("
)
_DEPENDENCIES = re.compile(
    r"(?:^|/)(?:requirements[^/]*\.(?:txt|lock|in)|pyproject\.toml|setup\.(?:py|cfg)|Pipfile(?:\.lock)?|poetry\.lock"
    r"|uv\.lock|package(?:-lock)?\.json|yarn\.lock|pnpm-lock\.yaml|go\.(?:mod|sum)|Cargo\.(?:toml|lock)"
    r"|Gemfile(?:\.lock)?|pom\.xml|build\.gradle(?:\.kts)?|composer\.(?:json|lock)|\.gitmodules)$"
)


def notes(patch: str) -> tuple[str, ...]:
    """Short sentences about a unified diff (`git diff`); none where there is nothing of note."""
    found = _Found()
    for path, deleted, lines in _files(patch):
        if _DEPENDENCIES.search(path):
            found.dependencies.append(path)
        if _TEST_FILE.search(path):
            found.take_tests(lines)
            if deleted:
                found.gone.append(path)
    return tuple(found.words())


@dataclass(slots=True)
class _Found:
    gone: list[str] = field(default_factory=list)
    """Test files that are removed."""
    tests: Counter[str] = field(default_factory=Counter)
    """How often each test comes, less how often it goes."""
    skips: int = 0
    dependencies: list[str] = field(default_factory=list)

    def take_tests(self, lines: list[tuple[str, str]]) -> None:
        for sign, line in lines:
            test = _TEST.match(line)
            if test:
                self.tests[next(name for name in test.groups() if name)] += 1 if sign == "+" else -1
            self.skips += sign == "+" and bool(_SKIP.search(line))

    def words(self) -> Iterator[str]:
        removed = sum(-count for count in self.tests.values() if count < 0)
        if self.gone:
            yield f"{_count(len(self.gone), 'test file')} removed: {_some(self.gone)}"
        if removed:
            yield f"{_count(removed, 'test')} removed"
        if self.skips:
            yield f"{_count(self.skips, 'test')} skipped or singled out"
        if self.dependencies:
            yield f"dependencies changed: {_some(self.dependencies)}"


def _files(patch: str) -> Iterator[tuple[str, bool, list[tuple[str, str]]]]:
    """Each file of a patch: its path, whether it is deleted, its changed lines with their sign."""
    for part in re.split(r"(?m)^diff --git ", patch)[1:]:
        head, _, body = part.partition("\n@@")
        old = re.search(r"(?m)^--- a/(.*)$", head)
        new = re.search(r"(?m)^\+\+\+ b/(.*)$", head)
        name = new or old
        path = name[1].strip() if name else head.partition("\n")[0].rpartition(" b/")[2]
        deleted = "\ndeleted file mode" in head
        lines = [(line[0], line[1:]) for line in body.split("\n") if line[:1] in {"+", "-"}]
        yield path, deleted, lines


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more
