"""What the demo judges by: git, tmux and files, asked directly and never through the server."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

LIMIT = 30.0
"""Seconds that one command may take."""


class Repository:
    """A git repository, read only. Works on bare ones and checkouts."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def ask(self, *args: str) -> str:
        """Output of a git command; empty when it fails."""
        argv = ["git", "-C", str(self.path), *args]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=LIMIT, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""

    def commit(self, ref: str) -> str:
        """Full SHA of a ref; empty when there is none."""
        return self.ask("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")

    def contains(self, branch: str, commit: str) -> bool:
        """Whether a commit, or one with the very same tree, is in a branch."""
        wanted = self.ask("rev-parse", "--verify", "--quiet", f"{commit}^{{tree}}")
        return bool(wanted) and wanted in self.ask("log", "--format=%T", branch).split()

    def worktrees(self) -> list[str]:
        """Paths of all registered worktrees."""
        rows = self.ask("worktree", "list", "--porcelain").splitlines()
        return [row.removeprefix("worktree ") for row in rows if row.startswith("worktree ")]

    def tests_pass(self, ref: str, command: tuple[str, ...]) -> bool:
        """Run a command in a fresh checkout of a ref."""
        with tempfile.TemporaryDirectory(prefix="ao-demo-") as folder:
            archive = subprocess.run(
                ["git", "-C", str(self.path), "archive", ref],
                capture_output=True,
                timeout=LIMIT,
                check=False,
            )
            if archive.returncode != 0:
                return False
            subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, timeout=LIMIT, check=True)
            done = subprocess.run(command, cwd=folder, capture_output=True, timeout=LIMIT, check=False)
            return done.returncode == 0


class Terminals:
    """The tmux server of one `$AO_HOME`."""

    def __init__(self, server: str) -> None:
        self._server = server

    def _ask(self, *args: str) -> subprocess.CompletedProcess[str]:
        argv = ["tmux", "-L", self._server, *args]
        return subprocess.run(argv, capture_output=True, text=True, timeout=LIMIT, check=False)

    def has(self, session: str) -> bool:
        """Whether there is a terminal of exactly that name."""
        return self._ask("has-session", "-t", f"={session}").returncode == 0

    def names(self) -> set[str]:
        """All its terminals."""
        return set(self._ask("list-sessions", "-F", "#{session_name}").stdout.split())

    def screen(self, session: str) -> str:
        """What the terminal shows, with what has scrolled off."""
        return self._ask("capture-pane", "-p", "-J", "-S", "-500", "-t", f"={session}:").stdout

    def end(self) -> None:
        """End the server with everything in it."""
        self._ask("kill-server")


def python() -> str:
    """The interpreter that runs this."""
    return sys.executable


def clean_environment(home: Path, withheld: tuple[str, ...] = ()) -> dict[str, str]:
    """The environment of the demo's server: ours, for another home, without names that begin like `withheld`."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AO_", "TMUX", *withheld))}
    return {**kept, "AO_HOME": str(home)}
