"""How git is called by us: on a repository named by its folder, with nothing of the caller's environment.

    git = Git(mirror)                                   # a bare repository of ours
    sha = await git.text("rev-parse", "--verify", "--end-of-options", "refs/ao/base/main^{commit}")
    there = await git.ask("cat-file", "-e", sha)        # a code other than 0 is an answer
    look = git.at(work_tree=path, index=file)           # the same repository over files elsewhere
    async with git.lock(): ...                          # one at a time in this repository

An agent owns its repository's configuration, hooks and attributes. So git is called in two ways
only: here, from a repository of ours (filters, textconv, credential helpers and `insteadOf` are
configuration, and ours has none), or as the session through its place. In the user's own
repository only the few commands that were tried there (worktree add/remove/list, fetch of a path,
rev-parse, update-ref) are run this way, never one that reads files of a work tree.

Failures: `TemporaryError` for locks held by others, networks, full disks and time limits;
`Conflict` for refs that are elsewhere than the caller believed; `NotFound` for refs and
repositories that are not there; else `PermanentError`. Each carries git's last lines.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from orchestrator.errors import AoError, Conflict, NotFound, PermanentError, TemporaryError
from orchestrator.ports.place import Completed
from plugins._shared.command import run as run_command
from plugins._shared.repository_lock import locked

ZERO = "0" * 40
"""What `update-ref` takes for "this ref must not exist"."""

IDENTITY = ("Agent Orchestrator", "ao@localhost")
"""Author and committer of commits that we make ourselves."""

_LOCK_TRIES = 6
_OUTPUT = 200_000_000


class Runner(Protocol):
    """What runs a command to its end: `plugins._shared.command.run`, or a test's own."""

    async def __call__(
        self,
        argv: Sequence[str],
        *,
        cwd: str,
        env: Mapping[str, str],
        stdin: bytes = b"",
        timeout: float = 60.0,
    ) -> Completed:
        """Run it; on expiry end its process group and raise `TemporaryError`."""


async def _run(
    argv: Sequence[str], *, cwd: str, env: Mapping[str, str], stdin: bytes = b"", timeout: float = 60.0
) -> Completed:
    return await run_command(argv, cwd=cwd, env=env, stdin=stdin, timeout=timeout, limit=_OUTPUT)


def safe_settings(protocols: Sequence[str] = ("file",)) -> tuple[str, ...]:
    """The `-c` options that switch off whatever a repository's configuration could have run."""
    settings = {
        "core.hooksPath": "/dev/null",
        "core.fsmonitor": "false",
        "core.untrackedCache": "false",
        "core.alternateRefsCommand": "true",
        "core.askPass": "true",
        "core.bigFileThreshold": "32m",
        "core.quotePath": "false",
        "credential.helper": "",
        "commit.gpgSign": "false",
        "gc.auto": "0",
        "maintenance.auto": "false",
        "fetch.recurseSubmodules": "false",
        "submodule.recurse": "false",
        "diff.ignoreSubmodules": "all",
        "advice.addEmbeddedRepo": "false",
        "protocol.allow": "never",
        "protocol.ext.allow": "never",
        **{f"protocol.{name}.allow": "always" for name in protocols},
    }
    return tuple(part for key, value in settings.items() for part in ("-c", f"{key}={value}"))


def safe_environment() -> dict[str, str]:
    """An environment with no variable of the caller but the absolute folders of its PATH."""
    path = os.pathsep.join(p for p in os.environ.get("PATH", os.defpath).split(os.pathsep) if p[:1] == "/")
    name, email = IDENTITY
    return {
        "PATH": path,
        "LC_ALL": "C",
        "HOME": "/nonexistent",
        "XDG_CONFIG_HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": email,
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": email,
    }


@dataclass(frozen=True, slots=True)
class Git:
    """One repository, and how it is looked at. Cheap to make; holds no state."""

    git_dir: Path
    work_tree: Path | None = None
    index: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to the cleaned environment of every call: credentials of an scm, an author."""
    protocols: tuple[str, ...] = ("file",)
    """Transports that a URL may use; `ext` is never allowed."""
    runner: Runner = _run

    def at(
        self,
        *,
        work_tree: Path | None = None,
        index: Path | None = None,
        env: Mapping[str, str] | None = None,
        protocols: tuple[str, ...] | None = None,
    ) -> Git:
        """The same repository over other files, with another index, more variables or transports."""
        return replace(
            self,
            work_tree=work_tree or self.work_tree,
            index=index or self.index,
            env={**self.env, **(env or {})},
            protocols=protocols or self.protocols,
        )

    def lock(self) -> AbstractAsyncContextManager[None]:
        """The lock of this repository: held round fetches, ref changes, worktree add and remove."""
        return locked(self.git_dir)

    async def ask(self, *args: str, stdin: bytes = b"", timeout: float = 60.0) -> Completed:
        """Run git and return what it said, whatever its code. Raises only when it could not end."""
        work_tree = () if self.work_tree is None else (f"--work-tree={self.work_tree}",)
        argv = ("git", f"--git-dir={self.git_dir}", *work_tree, *safe_settings(self.protocols), *args)
        index = {} if self.index is None else {"GIT_INDEX_FILE": str(self.index)}
        env = {**safe_environment(), **index, **self.env}
        done = await self.runner(argv, cwd="/", env=env, stdin=stdin, timeout=timeout)
        if len(done.stdout) >= _OUTPUT:
            msg = f"git {args[0]} said more than {_OUTPUT} bytes."
            raise PermanentError(msg)
        return done

    async def run(self, *args: str, stdin: bytes = b"", timeout: float = 60.0) -> Completed:
        """Run git and raise when it fails. A lock held by somebody else is waited for a moment."""
        for attempt in range(_LOCK_TRIES):
            done = await self.ask(*args, stdin=stdin, timeout=timeout)
            if done.ok:
                return done
            if not _LOCKED.search(done.error_text()):
                break
            await asyncio.sleep(0.02 * 2**attempt)
        raise failure(done, what=f"git {args[0]} failed")

    async def text(self, *args: str, stdin: bytes = b"", timeout: float = 60.0) -> str:
        """Like `run`; standard output as text."""
        return (await self.run(*args, stdin=stdin, timeout=timeout)).text()


_LOCKED = re.compile(r"\.lock': File exists|could not lock config file|cannot lock ref .*\.lock")
_PASSING = re.compile(
    r"No space left on device|Disk quota exceeded|Could not resolve host|Connection (?:timed out|refused|reset)"
    r"|Operation timed out|early EOF|remote end hung up|unable to access|Too many open files"
    r"|returned error: (?:429|5\d\d)|Resource temporarily unavailable|Cannot allocate memory",
)
_MOVED = re.compile(
    r"but expected|reference already exists|unable to resolve reference|non-fast-forward|\[rejected\]|stale info"
    r"|already exists|exists; cannot create|is already checked out|already used by worktree|fetch first"
    r"|cannot lock ref",
)
_ABSENT = re.compile(
    r"couldn't find remote ref|Needed a single revision|not a valid ref|does not appear to be a git repository"
    r"|not a git repository|unknown revision|bad revision|Not a valid object name|not our ref|bad object|not something we can merge",
)


def failure(done: Completed, *, what: str) -> AoError:
    """The error that says what git's failure means for the caller."""
    said = done.error_text()
    lines = "\n".join(line for line in said.splitlines()[-8:] if line.strip()) or f"exit code {done.code}"
    words = f"{what}: {lines}"
    if _LOCKED.search(said):
        return TemporaryError(words, delay=2.0, next_step="Another git program holds a lock there.")
    if re.search("No space left|quota exceeded", said):
        return TemporaryError(words, delay=30.0, next_step="Free some disk space.")
    if _PASSING.search(said):
        return TemporaryError(words)
    if _ABSENT.search(said):
        return NotFound(words)
    return Conflict(words) if _MOVED.search(said) else PermanentError(words)
