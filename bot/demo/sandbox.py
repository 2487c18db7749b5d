"""The sandbox: a small real repository with issues, and a configuration for it, made below `$AO_HOME`.

Making it again changes nothing that is there. `make_batch` makes a larger one for tests and benchmarks.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from bot.demo.cast import Cast
from bot.demo.sandbox_files import FAILING_TEXT, FILES, batch_files
from orchestrator.errors import NotReady
from orchestrator.services.trust import Trusted, trust_file
from orchestrator.storage.layout import Home

__all__ = ["FAILING_TEXT", "PROJECT", "TEST_COMMAND", "Sandbox", "git", "make", "make_batch"]

PROJECT = "demo"
TEST_COMMAND = ("python3", "-m", "unittest", "-q")
CONFIG = "agent-orchestrator.yaml"
LIMIT = 60.0
"""Seconds that one git command may take."""

_CONFIG = """\
# The sandbox of `ao`: a small repository and no account; plans stand in its issues.
{defaults}projects:
  demo:
    name: demo
    path: {path}
    sessionPrefix: demo
    defaultBranch: main
    agent: {agent}
    runtime: tmux
    workspace: worktree
{hosting}{more}"""
_HERE = f"""\
    tracker:
      plugin: local
    scm:
      plugin: local
      checks:
        tests: {" ".join(TEST_COMMAND)}
"""
"""Issues and pull requests on this machine."""
_BATCH = """\
limits:
  sessions: {sessions}
defaults:
  approvals: 0
reactions:
  approved-and-green:
    auto: true
    action: auto-merge
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """Where the sandbox is."""

    repository: Path
    config: Path


def make(home: Path, played_by: Cast | None = None, hosting: str = "") -> Sandbox:
    """The sandbox of this `$AO_HOME`, made on the first call. Raises `NotReady` without git.

    `hosting`: lines of the project that say where its issues and pull requests are, if not on this machine; then
    the repository holds none.
    """
    cast = played_by or Cast()
    name = cast.name or ("sandbox" if cast.agent == "rehearsal" else f"sandbox-{cast.agent}")
    files = FILES if hosting else {**FILES, **_issue_files(cast.issues)}
    return _make(home / name, files, cast, _Lines(cast.fleet, hosting or _HERE))


def _issue_files(issues: Mapping[int, str]) -> dict[str, str]:
    return {f"issues/{number}.md": text for number, text in issues.items()}


@dataclass(frozen=True, slots=True)
class _Lines:
    """Of the configuration: what stands besides the project, and what says where it is hosted."""

    fleet: str
    hosting: str = _HERE


def make_batch(
    home: Path, count: int, *, conflict_every: int = 10, sessions: int = 20, played_by: Cast | None = None
) -> Sandbox:
    """A sandbox with `count` issues that each edit a line of their own.

    Every `conflict_every`-th (0: none) also edits one line in common: the first of them to be merged makes the
    others conflict. Green pull requests are merged without an approval; `sessions` run at once.
    """
    cast = played_by or Cast()
    conflicting = {n for n in range(1, count + 1) if conflict_every and n % conflict_every == 0}
    issues = {n: cast.batch_issue(n, conflicting=n in conflicting) for n in range(1, count + 1)}
    files = {**batch_files(count), **_issue_files(issues)}
    return _make(home / "batch", files, cast, _Lines(_BATCH.format(sessions=sessions)))


def _make(root: Path, files: Mapping[str, str], cast: Cast, lines: _Lines) -> Sandbox:
    sandbox = Sandbox(repository=root / "repository", config=root / CONFIG)
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not sandbox.repository.exists():
        _repository(sandbox.repository, files)
    if not sandbox.config.exists():
        text = _CONFIG.format(
            path=_quoted(str(sandbox.repository)),
            hosting=lines.hosting,
            defaults=lines.fleet,
            agent=cast.agent,
            more=cast.configuration,
        )
        sandbox.config.write_text(text, encoding="utf-8")
        sandbox.config.chmod(0o600)
        # We wrote it ourselves just now, so nobody has to be asked whether it may run its checks.
        trust_file(sandbox.config, Trusted(Home(root.parent)))
    return sandbox


def _repository(target: Path, files: Mapping[str, str]) -> None:
    """Made beside its place and then moved, so that a half-made one is never taken for it."""
    if shutil.which("git") is None:
        msg = "git is not installed."
        raise NotReady(msg, next_step="Install it: apt-get install git, dnf install git or brew install git.")
    draft = Path(mkdtemp(prefix=".repository-", dir=target.parent))
    try:
        for name, text in files.items():
            file = draft / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        git(draft, "init", "--quiet", "--initial-branch=main")
        # The agent commits as the sandbox, on machines where nobody has told git a name too.
        git(draft, "config", "user.name", "Sandbox")
        git(draft, "config", "user.email", "sandbox@localhost")
        git(draft, "config", "commit.gpgSign", "false")
        git(draft, "add", "--all")
        git(draft, "commit", "--quiet", "--message=A small package with tests and issues")
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def git(folder: Path, *args: str) -> None:
    """A git command in a folder of the demo's, without the person's own settings. Raises `NotReady`."""
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    argv = ["git", *args]
    done = subprocess.run(argv, cwd=folder, env=environment, capture_output=True, timeout=LIMIT, check=False)
    if done.returncode != 0:
        msg = f"the sandbox could not be made: git {args[0]}: {done.stderr.decode(errors='replace').strip()[-500:]}"
        raise NotReady(msg)


def _quoted(text: str) -> str:
    """A string as our YAML takes it, whatever is in it."""
    return "'" + text.replace("'", "''").replace("${", "$${") + "'"
