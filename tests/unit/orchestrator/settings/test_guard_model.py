"""The guard of a configuration: lists are added up, of the rest the project's own word counts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from orchestrator.domain.guard import Guard
from orchestrator.settings.loader import Loaded

Write = Callable[..., Loaded]


def test_a_project_adds_to_the_fleets_guard(write: Write) -> None:
    loaded = write(
        "guard: {paths: [infra/**], allow: [AGENTS.md], maxFiles: 10, secrets: false}\n"
        "projects:\n"
        "  a: {path: x, guard: {paths: ['*.tf'], maxFiles: 20, max_lines: 5, secrets: true}}\n"
        "  b: {path: y}\n"
    )
    one, two = (loaded.require().rules(name).guard for name in ("a", "b"))
    assert one == Guard(
        paths=("infra/**", "*.tf"), allow=("AGENTS.md",), max_files=20, max_lines=5, secrets=True
    )
    assert two == Guard(paths=("infra/**",), allow=("AGENTS.md",), max_files=10, secrets=False)


def test_nothing_written_is_the_built_in_guard(write: Write) -> None:
    assert write("projects: {a: {path: x}}").require().rules("a").guard == Guard()


@pytest.mark.parametrize("pattern", ["''", "../x", "'!x'", "~/x", "a/../b"])
def test_what_is_no_pattern_is_said_with_its_place(pattern: str, write: Write) -> None:
    [error] = write(
        f"projects:\n  a:\n    path: x\n    guard:\n      paths:\n        - ok\n        - {pattern}\n"
    ).errors
    assert (error.line, error.path) == (7, "projects.a.guard.paths[1]")


def test_a_key_that_nobody_knows_is_refused(write: Write) -> None:
    [error] = write("guard: {path: [x]}").errors
    assert (error.path, error.nearest) == ("guard.path", "paths")
    assert write("guard: {maxFiles: 0}").errors
