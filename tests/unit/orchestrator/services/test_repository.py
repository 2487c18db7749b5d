"""What is found out about a repository for its configuration."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from orchestrator.errors import NotFound, NotReady
from orchestrator.services import repository

pytestmark = pytest.mark.git


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True, timeout=20)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "trunk")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "first")
    return tmp_path


def test_branch_and_top_folder(folder: Path) -> None:
    (folder / "deep").mkdir()
    found = repository.look(folder / "deep")
    assert (found.root, found.branch, found.repo, found.tests) == (folder, "trunk", "", "")


def test_the_remotes_default_branch_goes_before_the_one_checked_out(folder: Path) -> None:
    git(folder, "update-ref", "refs/remotes/origin/main", "HEAD")
    git(folder, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    assert repository.look(folder).branch == "main"


@pytest.mark.parametrize(
    ("address", "repo", "elsewhere"),
    [
        ("git@github.com:owner/name.git", "owner/name", ""),
        ("https://github.com/owner/name", "owner/name", ""),
        ("ssh://git@host.example:2222/group/sub/name.git", "", "host.example"),
        ("/srv/git/name.git", "", ""),
        ("file:///srv/git/name.git", "", ""),
    ],
)
def test_the_forge_is_read_from_the_remote(folder: Path, address: str, repo: str, elsewhere: str) -> None:
    git(folder, "remote", "add", "origin", address)
    found = repository.look(folder)
    assert (found.repo, found.elsewhere) == (repo, elsewhere)


@pytest.mark.parametrize(
    ("name", "text", "command"),
    [
        ("Makefile", "all:\n\ttrue\ntest: all\n\ttrue\n", "make test"),
        ("Makefile", "tests:\n\ttrue\n", ""),
        ("package.json", '{"scripts": {"test": "vitest"}}', "npm test"),
        ("package.json", "not json", ""),
        ("Cargo.toml", "", "cargo test"),
        ("go.mod", "", "go test ./..."),
        ("pyproject.toml", "", "python3 -m pytest -q"),
        ("pyproject.toml", "[tool.pytest]", "python3 -m pytest -q"),
        ("test_app.py", "import unittest", "python3 -m unittest"),
        ("tests/test_app.py", "import unittest", "python3 -m unittest discover -s tests"),
        ("tests/test_app.py", "import pytest", "python3 -m pytest -q"),
        ("tests/test_app.py", "def test_it(): assert 1", "python3 -m pytest -q"),
        ("test/deep/test_app.py", "from unittest import TestCase", "python3 -m unittest discover -s test"),
        ("tests/data.txt", "unittest", ""),
    ],
)
def test_the_command_of_the_tests_is_guessed(folder: Path, name: str, text: str, command: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    assert repository.look(folder).tests == command


def test_tests_in_a_package_are_found_from_the_top(folder: Path) -> None:
    (folder / "tests").mkdir()
    (folder / "tests" / "__init__.py").touch()
    (folder / "tests" / "test_app.py").write_text("import unittest\n")
    assert repository.look(folder).tests == "python3 -m unittest"


def test_what_is_no_repository(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no git repository"):
        repository.look(tmp_path)
    with pytest.raises(NotFound, match="no git repository"):
        repository.look(tmp_path / "absent")


def test_without_a_commit_there_is_nothing_to_start_from(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    with pytest.raises(NotReady, match="no commit"):
        repository.look(tmp_path)


def test_a_detached_head_is_no_branch(folder: Path) -> None:
    git(folder, "checkout", "-q", "--detach")
    with pytest.raises(NotReady, match="detached"):
        repository.look(folder)
    assert repository.look(folder, "trunk").branch == "trunk"
