"""A name says what a thing is for: no drawer of odds and ends, no file split for its length alone."""

from __future__ import annotations

import ast
import importlib.metadata
import re

import pytest

from tests.architecture import tree

_DRAWER = re.compile(r"^_?(helpers?|utils?|utilities|misc|common|stuff|base_utils|.*_(part|p)?\d+|.*_part)$")


@pytest.mark.parametrize("stem", ["utils", "_helpers", "fleet_part2", "fleet_2", "common"])
def test_the_pattern_knows_a_drawer(stem: str) -> None:
    assert _DRAWER.match(stem)


@pytest.mark.parametrize("stem", ["fleet", "commonmark", "utilisation", "_shared"])
def test_the_pattern_lets_a_name_pass(stem: str) -> None:
    assert not _DRAWER.match(stem)


def test_no_file_is_a_drawer() -> None:
    files = tree.python_files(*tree.PACKAGES, "tests")
    folders = {folder for path in files for folder in path.relative_to(tree.ROOT).parents}
    named = {path.stem.removeprefix("test_"): tree.name(path) for path in files}
    named |= {folder.name: str(folder) for folder in folders}
    assert [place for stem, place in named.items() if _DRAWER.match(stem)] == []


def test_a_package_says_what_belongs_in_it_and_holds_no_code() -> None:
    wrong = []
    for folder in sorted({path.parent for path in tree.python_files(*tree.PACKAGES)}):
        init = folder / "__init__.py"
        body = tree.syntax(init).body if init.is_file() else []
        future = [node for node in body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
        if not body or ast.get_docstring(tree.syntax(init)) is None or len(body) - len(future) != 1:
            wrong.append(tree.name(folder))
    assert wrong == []


def test_every_module_begins_by_saying_what_it_is_for() -> None:
    silent = [
        tree.name(path)
        for path in tree.python_files(*tree.PACKAGES)
        if ast.get_docstring(tree.syntax(path)) is None
    ]
    assert silent == []


@pytest.mark.parametrize("package", tree.PACKAGES)
def test_no_installed_distribution_brings_a_package_of_our_name(package: str) -> None:
    owners = importlib.metadata.packages_distributions().get(package, [])
    assert set(owners) <= {"agent-orchestrator"}
