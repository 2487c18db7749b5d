"""What is told of a diff before a merge."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from orchestrator.domain.diff_notes import notes

TESTS = "def test_one():\n    assert True\n\n\ndef test_two():\n    assert True\n"


def git(folder: Path, *words: str) -> str:
    """A real diff is read, as git writes it."""
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", *words]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").write_text(TESTS)
    (tmp_path / "tests" / "test_b.py").write_text(TESTS)
    (tmp_path / "a.py").write_text("def test_no_test():\n    pass\n")
    (tmp_path / "requirements.txt").write_text("one\n")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "first")
    return tmp_path


def told(repository: Path) -> tuple[str, ...]:
    git(repository, "add", "-A")
    return notes(git(repository, "diff", "--cached", "-U0", "--no-renames"))


def test_nothing_of_note(repository: Path) -> None:
    (repository / "a.py").write_text("x = 1\n")
    assert told(repository) == ()
    assert notes("") == ()


def test_a_test_that_is_gone(repository: Path) -> None:
    (repository / "tests" / "test_a.py").write_text(TESTS.partition("\n\n\n")[0] + "\n")
    assert told(repository) == ("1 test removed",)


def test_a_test_that_is_moved_is_not_gone(repository: Path) -> None:
    (repository / "tests" / "test_a.py").write_text("def test_two():\n    assert True\n")
    (repository / "tests" / "test_c.py").write_text("def test_one():\n    assert True\n")
    assert told(repository) == ()


def test_a_test_file_that_is_gone(repository: Path) -> None:
    (repository / "tests" / "test_b.py").unlink()
    assert told(repository) == ("1 test file removed: tests/test_b.py", "2 tests removed")


def test_a_test_that_is_skipped(repository: Path) -> None:
    (repository / "tests" / "test_a.py").write_text(f"import pytest\n\n\n@pytest.mark.skip\n{TESTS}")
    assert told(repository) == ("1 test skipped or singled out",)


def test_dependencies_that_change(repository: Path) -> None:
    (repository / "requirements.txt").write_text("two\n")
    (repository / "web").mkdir()
    (repository / "web" / "package-lock.json").write_text("{}")
    assert told(repository) == ("dependencies changed: requirements.txt, web/package-lock.json",)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("src/a.test.ts", "it('adds', () => {"),
        ("pkg/a_test.go", "func TestAdd(t *testing.T) {"),
        ("tests/a.rs", "fn test_add() {"),
        ("src/test/java/AddTest.java", "public void testAdd() {"),
    ],
)
def test_other_languages(path: str, line: str) -> None:
    patch = f"diff --git a/{path} b/{path}\nindex 1..2 100644\n--- a/{path}\n+++ b/{path}\n@@ -1 +0,0 @@\n-{line}\n"
    assert notes(patch) == ("1 test removed",)


@pytest.mark.parametrize(
    "patch", ["diff --git ", "diff --git a/x b/x\n@@\n", "\x00" * 50, "diff --git a b\n+++ b/\n"]
)
def test_odd_text_is_nothing_of_note(patch: str) -> None:
    assert notes(patch) == ()
