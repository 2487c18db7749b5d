"""Every built-in plugin has its contract tests: the catalog is walked, not remembered."""

from __future__ import annotations

import ast

import pytest

from tests.architecture import tree


def _catalog() -> list[tuple[str, str]]:
    module = tree.syntax(tree.ROOT / "plugins" / "catalog.py")
    pairs = [node.elts for node in ast.walk(module) if isinstance(node, ast.Tuple) and len(node.elts) == 2]
    return [
        (str(slot.value), str(name.value))
        for slot, name in pairs
        if isinstance(slot, ast.Constant) and isinstance(name, ast.Constant)
    ]


def _contract_modules(module: ast.Module) -> set[str]:
    """Modules of orchestrator.testing.contracts that a test file imports from."""
    start = "orchestrator.testing.contracts"
    found: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{start}."):
            found.add((node.module or "").split(".")[3])
        elif isinstance(node, ast.ImportFrom) and node.module == start:
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[3] for alias in node.names if alias.name.startswith(f"{start}.")}
    return found


def _plays(slot: str, module: ast.Module) -> bool:
    """A slot's contract lies in `<slot>.py`, a part of it that not all plugins keep in `<slot>_<part>.py`."""
    return any(name == slot or name.startswith(f"{slot}_") for name in _contract_modules(module))


def test_the_catalog_is_read() -> None:
    assert ("runtime", "tmux") in _catalog()


@pytest.mark.parametrize(("slot", "name"), _catalog())
def test_a_plugin_has_contract_tests(slot: str, name: str) -> None:
    path = tree.ROOT / "tests" / "contracts" / f"test_{slot}_{name.replace('-', '_')}.py"
    assert path.is_file(), f"write {tree.name(path)}"
    assert _plays(slot, tree.syntax(path)), "it plays the slot's contract class"
    classes = [node for node in tree.syntax(path).body if isinstance(node, ast.ClassDef) and node.bases]
    assert classes, "a subclass of the contract makes this plugin"


@pytest.mark.parametrize("slot", sorted({slot for slot, _ in _catalog()}))
def test_a_slot_has_a_fake_that_keeps_the_same_contract(slot: str) -> None:
    fake = tree.ROOT / "orchestrator" / "testing" / "fakes" / f"{slot}.py"
    assert fake.is_file(), f"write {tree.name(fake)}"
    path = tree.ROOT / "tests" / "contracts" / f"test_{slot}_fake.py"
    assert path.is_file(), f"write {tree.name(path)}"
    assert _plays(slot, tree.syntax(path))
