"""What is declared, what is locked and what the import contracts name are the same things."""

from __future__ import annotations

import ast
import re
import tomllib
from importlib import metadata
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture import tree

# Used everywhere and no service: typing only.
_EVERYWHERE = {"typing-extensions"}


def _project() -> dict[str, Any]:
    return tomllib.loads((tree.ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _runtime() -> list[Requirement]:
    return [Requirement(line) for line in _project()["project"]["dependencies"]]


def _development() -> list[Requirement]:
    groups = _project()["dependency-groups"].values()
    return [Requirement(line) for group in groups for line in group if isinstance(line, str)]


def _locked(lock: str) -> dict[str, str]:
    text = (tree.ROOT / lock).read_text(encoding="utf-8")
    found = re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;]+)", text, flags=re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [("requirements.lock", _runtime()), ("requirements-dev.lock", [*_runtime(), *_development()])],
)
def test_a_lock_is_as_new_as_what_is_declared(lock: str, wanted: list[Requirement]) -> None:
    pins = _locked(lock)
    old = [
        str(requirement)
        for requirement in wanted
        if not requirement.specifier.contains(pins.get(canonicalize_name(requirement.name), "0"))
    ]
    assert old == [], f"run `make lock`: {lock}"


def test_both_locks_agree() -> None:
    runtime, everything = _locked("requirements.lock"), _locked("requirements-dev.lock")
    assert {name: everything.get(name) for name in runtime} == runtime


def test_every_runtime_library_has_its_named_place() -> None:
    contracts = _project()["tool"]["importlinter"]["contracts"]
    named = next(set(c["forbidden_modules"]) for c in contracts if c["id"] == "libraries")
    homes: dict[str, list[str]] = {}
    for module, distributions in metadata.packages_distributions().items():
        for distribution in distributions:
            homes.setdefault(canonicalize_name(distribution), []).append(module)
    unnamed = [
        requirement.name
        for requirement in _runtime()
        if canonicalize_name(requirement.name) not in _EVERYWHERE
        and not named.intersection(homes[canonicalize_name(requirement.name)])
    ]
    assert unnamed == [], "give the library a named file in the contract `libraries`"


def test_every_named_place_is_there() -> None:
    contracts = _project()["tool"]["importlinter"]["contracts"]
    allowed = next(c["ignore_imports"] for c in contracts if c["id"] == "libraries")
    gone = []
    for line in allowed:
        module = line.partition(" -> ")[0].removesuffix(".*")
        path = tree.ROOT / module.replace(".", "/")
        if not path.is_dir() and not path.with_suffix(".py").is_file():
            gone.append(module)
    assert gone == []


def test_every_module_of_the_ring_that_says_it_is_pure_is_held_to_it() -> None:
    contracts = _project()["tool"]["importlinter"]["contracts"]
    (held,) = ({*c["source_modules"]} for c in contracts if c["id"] == "pure")
    prefix = "orchestrator.lifecycle."
    says = {
        f"{prefix}{path.stem}"
        for path in tree.python_files("orchestrator/lifecycle")
        if path.stem != "__init__" and "Pure" in (ast.get_docstring(tree.syntax(path)) or "")
    }
    assert says == {name for name in held if name.startswith(prefix)}
