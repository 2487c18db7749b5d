"""A file is read in one sitting and a function on one screen."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.architecture import tree

FILE_LINES = 400
FUNCTION_LINES = 40


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring: a promise may be as long as it must."""
    first = node.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    documentation = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
    return (node.end_lineno or node.lineno) - node.lineno + 1 - documentation


def _long_functions(module: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _length(node) >= FUNCTION_LINES:
            yield node.name, _length(node)


def test_files_stay_under_the_limit() -> None:
    lengths = {
        tree.name(path): len(path.read_text(encoding="utf-8").splitlines())
        for path in tree.python_files(*tree.PACKAGES, "tests")
    }
    assert {name: lines for name, lines in lengths.items() if lines >= FILE_LINES} == {}


def test_functions_stay_under_the_limit() -> None:
    files = tree.python_files(*tree.PACKAGES, "tests")
    long = {
        f"{tree.name(path)}:{name}": lines
        for path in files
        for name, lines in _long_functions(tree.syntax(path))
    }
    assert long == {}


def test_a_docstring_does_not_count() -> None:
    module = ast.parse('def f():\n    """One.\n\n    Two.\n    """\n    return 1\n')
    function = module.body[0]
    assert isinstance(function, ast.FunctionDef)
    assert _length(function) == 2
