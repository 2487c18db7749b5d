"""The table of defects is whole: every row has its tests, and every test that it names is there."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.architecture import tree
from tests.defects import DEFECTS, Defect

ROWS = (
    *(f"5.6 {name}" for name in ("a", "b", "c", "d", "side door", "manual kill")),
    *(f"6.6.{number}" for number in range(1, 11)),
    *(f"14.1.{number}" for number in range(1, 21)),
)
"""What the sections list one by one; 5.10 is told in prose there."""
CONTRACTS = tree.ROOT / "orchestrator" / "testing" / "contracts"


@cache
def names_in(path: Path, of: str = "") -> frozenset[str]:
    """Names of the tests of a module, or of one class in it."""
    body = tree.syntax(path).body
    if of:
        body = [
            part for node in body if isinstance(node, ast.ClassDef) and node.name == of for part in node.body
        ]
    functions = (node for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in functions if node.name.startswith("test_"))


@cache
def contract_names() -> frozenset[str]:
    """Tests that a plugin's contract class inherits."""
    modules = [path for path in CONTRACTS.glob("*.py") if path.name != "__init__.py"]
    classes = [
        (path, node.name)
        for path in modules
        for node in tree.syntax(path).body
        if isinstance(node, ast.ClassDef)
    ]
    return frozenset(name for path, of in classes for name in names_in(path, of))


def is_there(node_id: str) -> bool:
    """Whether pytest would find this test."""
    file, *names = node_id.split("::")
    path = tree.ROOT / file
    if not path.is_file() or not names:
        return False
    if len(names) == 1:
        return names[0] in names_in(path)
    of, test = names
    known = {node.name for node in tree.syntax(path).body if isinstance(node, ast.ClassDef)}
    return of in known and test in names_in(path, of) | contract_names()


def wrong(row: Defect) -> list[str]:
    """What is wrong with a row, in words."""
    found = [f"no such test: {test}" for test in row.tests if not is_there(test)]
    if not row.tests and not row.not_built:
        found.append("it has no test")
    if row.not_built and (tree.ROOT / row.not_built).exists():
        found.append(f"{row.not_built} is built: name the test that shows the defect gone there")
    return found


@pytest.mark.parametrize("row", DEFECTS, ids=lambda row: row.where)
def test_defect_is_shown_gone(row: Defect) -> None:
    assert wrong(row) == []


def test_every_defect_has_its_row_once() -> None:
    named = [row.where for row in DEFECTS]
    assert len(named) == len(set(named))
    assert set(ROWS) <= set(named)
    assert {where.split()[0] for where in set(named) - set(ROWS)} == {"5.10"}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (Defect("x", "nothing"), "it has no test"),
        (Defect("x", "no file", ("tests/unit/test_none.py::test_x",)), "no such test"),
        (Defect("x", "no test", ("tests/unit/test_defects.py::test_x",)), "no such test"),
        (Defect("x", "no class", ("tests/contracts/test_scm_fake.py::TestX::test_y",)), "no such test"),
        (
            Defect("x", "no method", ("tests/contracts/test_scm_fake.py::TestFakeScm::test_y",)),
            "no such test",
        ),
        (Defect("x", "built by now", not_built="plugins/scm/local.py"), "is built"),
    ],
    ids=lambda value: value.what if isinstance(value, Defect) else None,
)
def test_table_that_is_wrong_is_noticed(row: Defect, words: str) -> None:
    assert words in wrong(row)[0]
