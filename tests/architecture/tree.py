"""The source tree as the architecture tests read it: files, syntax trees, string literals."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("bot", "orchestrator", "plugins")
_LEFT_OUT = {"__pycache__", ".git", ".venv", ".mypy_cache", ".ruff_cache", ".hypothesis", ".pytest_cache"}
_LEFT_OUT |= {".import_linter_cache", "mutants", "build", "dist", "htmlcov", "node_modules"}


def python_files(*folders: str) -> list[Path]:
    """Every Python file under these folders of the repository, sorted."""
    return sorted(path for folder in folders for path in _walk(ROOT / folder) if path.suffix == ".py")


def text_files() -> Iterator[Path]:
    """Every file of the repository that is text, caches and environments left out."""
    for path in sorted(_walk(ROOT)):
        if not path.name.startswith(".coverage") and b"\0" not in path.read_bytes()[:4096]:
            yield path


def _walk(folder: Path) -> Iterator[Path]:
    """Files beneath a folder; caches and environments are not even entered."""
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in _LEFT_OUT]
        yield from (path for name in files if (path := Path(place, name)).is_file())


@cache
def syntax(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def name(path: Path) -> str:
    """How a file is named in a message."""
    return str(path.relative_to(ROOT))


def strings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """String literals with their lines, docstrings left out."""
    documentation = {id(node) for node in _docstrings(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.lineno, node.value


def _docstrings(tree: ast.Module) -> Iterator[ast.Constant]:
    """A bare string is a statement of documentation: of a module, a class, a function or a field."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value
