"""Each import contract is broken on purpose in a copy of the tree, and is seen to fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture import tree

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

# contract -> the file that is changed, and the line that breaks it
BREAKS = {
    "roots": ("orchestrator/clock.py", "import bot.chat"),
    "bot": ("bot/chat/request.py", "import bot.actions"),
    "orchestrator": ("orchestrator/domain/ids.py", "import orchestrator.ports"),
    "plugins": ("plugins/tracker/local.py", "import plugins.scm"),
    "catalog": ("plugins/catalog.py", "import plugins.runtime"),
    "plugins-see": ("plugins/tracker/local.py", "import orchestrator.storage"),
    "composition-root": ("bot/actions/planted.py", "import plugins.runtime"),
    "pure": ("orchestrator/lifecycle/decide.py", "import time"),
    "libraries": ("orchestrator/lifecycle/plan.py", "import tinydb"),
    "cycles": ("orchestrator/errors.py", "import orchestrator.clock; import orchestrator.domain"),
}
# A module that nobody placed breaks the contracts that are exhaustive.
STRANGERS = {
    "bot": "bot/stranger.py",
    "orchestrator": "orchestrator/stranger.py",
    "plugins": "plugins/stranger.py",
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for package in tree.PACKAGES:
        shutil.copytree(tree.ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(tree.ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def _lint(folder: Path, *contracts: str) -> str:
    program = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"
    wanted = [f"--contract={contract}" for contract in contracts]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    completed = subprocess.run(
        [sys.executable, "-c", program, "--no-cache", *wanted],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return completed.stdout + completed.stderr


def _contracts() -> dict[str, str]:
    project = tomllib.loads((tree.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {c["id"]: c["name"] for c in project["tool"]["importlinter"]["contracts"]}


def test_every_contract_has_its_break() -> None:
    assert set(BREAKS) == set(_contracts())


def test_the_tree_as_it_is_keeps_every_contract(copy: Path) -> None:
    said = _lint(copy)
    assert "0 broken" in said, said


@pytest.mark.parametrize("contract", sorted(BREAKS))
def test_a_bad_line_breaks_its_contract(copy: Path, contract: str) -> None:
    name, line = BREAKS[contract]
    path = copy / name
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    path.write_text(f"{before}\n{line}\n", encoding="utf-8")
    said = _lint(copy, contract)
    assert f"{_contracts()[contract]} BROKEN" in said, said


@pytest.mark.parametrize("contract", sorted(STRANGERS))
def test_a_module_without_a_place_breaks_its_contract(copy: Path, contract: str) -> None:
    (copy / STRANGERS[contract]).write_text('"""Nobody placed me."""\n', encoding="utf-8")
    said = _lint(copy, contract)
    assert f"{_contracts()[contract]} BROKEN" in said, said
