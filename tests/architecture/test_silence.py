"""Nothing is swallowed, nothing is patched, nothing waits by the clock."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture import tree

_WIDE = {"Exception", "BaseException"}
_DOUBLES = {"patch", "Mock", "MagicMock", "AsyncMock", "create_autospec"}


def _called(node: ast.Call) -> str:
    return ast.unparse(node.func)


def wide_suppressions(module: ast.Module) -> Iterator[int]:
    """Lines with `contextlib.suppress(Exception)`."""
    for node in ast.walk(module):
        if not isinstance(node, ast.Call) or not _called(node).endswith("suppress"):
            continue
        if any(ast.unparse(argument) in _WIDE for argument in node.args):
            yield node.lineno


def _is_double(called: str) -> bool:
    return called.split(".")[-1] in _DOUBLES or "mock.patch" in called


def doubles(module: ast.Module) -> Iterator[int]:
    """Lines that make a mock or patch one in."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and _is_double(_called(node)):
            yield node.lineno
        if isinstance(node, ast.ImportFrom | ast.Import):
            names = [getattr(node, "module", "") or "", *(alias.name for alias in node.names)]
            if any("mock" in name.lower().split(".") for name in names):
                yield node.lineno


def sleeps(module: ast.Module) -> Iterator[int]:
    """Lines with `time.sleep(...)`, save in a loop with a time limit: that waits for a condition."""
    allowed = {id(call) for loop in _bounded_loops(module) for call in ast.walk(loop)}
    for node in ast.walk(module):
        if (
            isinstance(node, ast.Call)
            and _called(node) in {"time.sleep", "sleep"}
            and id(node) not in allowed
        ):
            yield node.lineno


def _bounded_loops(module: ast.Module) -> Iterator[ast.While]:
    for loop in ast.walk(module):
        if isinstance(loop, ast.While):
            calls = {_called(node) for node in ast.walk(loop) if isinstance(node, ast.Call)}
            if "time.monotonic" in calls:
                yield loop


def _found(rule: object, paths: list[Path]) -> list[str]:
    assert callable(rule)
    return [f"{tree.name(path)}:{line}" for path in paths for line in rule(tree.syntax(path))]


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        (wide_suppressions, "with contextlib.suppress(Exception): pass"),
        (doubles, "from unittest import mock"),
        (doubles, "mock.patch('a.b')"),
        (doubles, "mock.patch.object(a, 'b')"),
        (doubles, "x = MagicMock()"),
        (sleeps, "time.sleep(1)"),
        (sleeps, "while True:\n    time.sleep(1)"),
    ],
)
def test_each_rule_sees_what_it_is_for(rule: object, code: str) -> None:
    assert callable(rule)
    assert list(rule(ast.parse(code)))


def test_a_bounded_wait_for_a_condition_is_no_sleep() -> None:
    assert not list(
        sleeps(ast.parse("while not look():\n    assert time.monotonic() < limit\n    time.sleep(1)"))
    )


def test_no_error_is_suppressed_wholesale() -> None:
    assert _found(wide_suppressions, tree.python_files(*tree.PACKAGES, "tests")) == []


def test_fakes_are_written_and_not_patched_in() -> None:
    assert _found(doubles, tree.python_files("tests", "orchestrator/testing")) == []


def test_no_test_waits_by_the_clock() -> None:
    # A soak kills at a random moment, which is a wait by its nature.
    soak = tree.ROOT / "tests" / "soak"
    files = [path for path in tree.python_files("tests", "orchestrator/testing") if soak not in path.parents]
    assert _found(sleeps, files) == []
