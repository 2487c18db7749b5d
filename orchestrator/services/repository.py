"""What can be found out about a repository for its configuration: branch, forge, command of its tests."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from orchestrator.errors import NotFound, NotReady, TemporaryError
from orchestrator.settings import builtin
from orchestrator.settings.remote import remote_of

_LIMIT = 20.0
_PYTEST = "python3 -m pytest -q"
_MOST_FILES = 50
"""So many test files are looked into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found out."""

    root: Path
    """The repository's top folder."""
    branch: str
    """The branch that work starts from."""
    repo: str = ""
    """`owner/name`, when its remote is on a host whose forge is known."""
    elsewhere: str = ""
    """The host of its remote, when nothing is known of that."""
    tests: str = ""
    """A command that checks a change; empty when none is recognised."""


def look(folder: Path, branch: str = "") -> Found:
    """Look at the repository around `folder`; `branch` is found out unless named.

    Raises `NotFound`, `NotReady`.
    """
    top = git(folder, "rev-parse", "--show-toplevel") if folder.is_dir() else ""
    if not top:
        msg = f"{folder} is in no git repository."
        raise NotFound(msg, next_step="`git init` makes one, or give the folder of one.")
    root = Path(top)
    if not git(root, "rev-parse", "--verify", "--quiet", "HEAD"):
        msg = f"{root} has no commit yet, so there is nothing that work could start from."
        raise NotReady(msg, next_step="Make a first commit.")
    remote = remote_of(root)
    known = remote is not None and remote.host in builtin.plugin_defaults().repo_hosts
    return Found(
        root=root,
        branch=branch or _branch(root),
        repo=remote.repo if remote is not None and known else "",
        elsewhere=remote.host if remote is not None and not known else "",
        tests=tests_command(root),
    )


def git(folder: Path, *arguments: str) -> str:
    """What git says, without the line end; empty when it says no. The user's own repository, only read."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT, check=False)  # noqa: S603
    except FileNotFoundError as error:
        msg = "git is not on the PATH."
        raise NotReady(msg, next_step="Install it (apt, dnf or brew install git).") from error
    except subprocess.TimeoutExpired as error:
        msg = "git did not answer in time."
        raise TemporaryError(msg) from error
    return done.stdout.strip() if done.returncode == 0 else ""


def _branch(root: Path) -> str:
    """The remote's default branch, else the one that is checked out. Raises `NotReady`."""
    remote = git(root, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
    found = remote.removeprefix("origin/") or git(root, "symbolic-ref", "--quiet", "--short", "HEAD")
    if not found:
        msg = f"{root} is on no branch (detached HEAD)."
        raise NotReady(msg, next_step="Check out the branch that work should start from.")
    return found


def tests_command(root: Path) -> str:
    """The command that most likely runs the repository's tests; empty when none is recognised."""
    if any(
        re.search(r"(?m)^test\s*:", _text(root / name)) for name in ("Makefile", "makefile", "GNUmakefile")
    ):
        return "make test"
    if _has_npm_test(root / "package.json"):
        return "npm test"
    known = (("Cargo.toml", "cargo test"), ("go.mod", "go test ./..."), ("tox.ini", "tox"))
    found = next((command for name, command in known if (root / name).is_file()), "")
    return found or _python_tests(root)


def _python_tests(root: Path) -> str:
    """With pytest where anything speaks of it, else with unittest where the tests are written with it."""
    if any("pytest" in _text(root / name) for name in ("pyproject.toml", "setup.cfg")):
        return _PYTEST
    if any((root / name).is_file() for name in ("pytest.ini", "conftest.py", "tests/conftest.py")):
        return _PYTEST
    folder = next((root / name for name in ("tests", "test") if (root / name).is_dir()), None)
    inside = sorted(folder.rglob("test*.py"))[:_MOST_FILES] if folder else []
    texts = [_text(path) for path in (*sorted(root.glob("test*.py"))[:_MOST_FILES], *inside)]
    if any("unittest" in text for text in texts) and not any("pytest" in text for text in texts):
        apart = folder is not None and inside and not (folder / "__init__.py").is_file()
        return f"python3 -m unittest discover -s {folder.name}" if folder and apart else "python3 -m unittest"
    return _PYTEST if texts or (root / "pyproject.toml").is_file() else ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    except OSError:
        return ""


def _has_npm_test(path: Path) -> bool:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    scripts = data.get("scripts") if isinstance(data, dict) else None
    return isinstance(scripts, dict) and bool(scripts.get("test"))
