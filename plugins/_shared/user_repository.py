"""The few things that we do in the user's own repository: register worktrees, their branches, base refs.

Its configuration may be an agent's work. Only commands that were tried with hostile configuration
are run here (hooks and fsmonitor off, no credentials in the environment), none reads files of a
work tree, and checkouts of the user's are never touched.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator.errors import PermanentError, TemporaryError
from plugins._shared import beneath
from plugins._shared.git import Git, safe_environment, safe_settings
from plugins._shared.mirror import FETCH, FETCH_TIMEOUT, Mirror, base_ref
from plugins._shared.threads import files_of

LOCKED_BY = "ao: session"
"""What the lock of a session's worktree begins with."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A worktree that the repository knows."""

    path: str
    head: str
    branch: str
    """Empty when detached."""
    broken: bool
    """Its folder, or its link to the repository, is gone."""
    reason: str = ""
    """Why it is locked."""


@dataclass(frozen=True, slots=True)
class UserRepository:
    """One repository, by its git folder that all its worktrees share."""

    git: Git

    @classmethod
    async def open(cls, path: Path, git: Git | None = None) -> UserRepository:
        """Find the repository of a checkout (or a bare one). Raises `PermanentError` when there is none."""
        template = git or Git(path)
        argv = (
            "git",
            "-C",
            str(path),
            *safe_settings(),
            "rev-parse",
            "--path-format=absolute",
            "--git-common-dir",
        )
        done = await template.runner(argv, cwd="/", env=safe_environment())
        if not done.ok:
            msg = f"{path} is no git repository that can be used: {done.error_text()}"
            raise PermanentError(msg)
        return cls(Git(Path(done.text()), runner=template.runner))

    @property
    def exclude(self) -> str:
        """The file with patterns that are ignored in all worktrees."""
        return f"{self.git.git_dir}/info/exclude"

    async def worktrees(self) -> Mapping[str, Registered]:
        """All registered worktrees by resolved path, the user's own among them: one call."""
        text = await self.git.text("worktree", "list", "--porcelain", "-z")
        found = []
        for block in text.split("\0\0"):
            fields = dict(line.partition(" ")[::2] for line in block.split("\0") if line)
            if "worktree" not in fields:
                continue
            head = fields.get("HEAD", "")
            one = Registered(
                path=fields["worktree"],
                head="" if set(head) == {"0"} else head,
                branch=fields.get("branch", "").removeprefix("refs/heads/"),
                broken="prunable" in fields,
                reason=fields.get("locked", ""),
            )
            found.append(one)
        return await files_of(self.git.git_dir.parent).run(_by_real_path, found)

    async def branch(self, name: str) -> str:
        """The commit of a local branch; empty when there is none."""
        done = await self.git.ask(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"refs/heads/{name}"
        )
        return done.text() if done.ok else ""

    async def bring_base(self, mirror: Mirror, branch: str, sha: str) -> None:
        """Have a base commit here, as `refs/ao/base/<branch>`."""
        have = await self.git.ask("rev-parse", "--verify", "--quiet", base_ref(branch))
        if have.text() != sha:
            await self._fetch(mirror, f"+{sha}:{base_ref(branch)}")

    async def drop_bases(self) -> None:
        """Forget our refs here, once no session has a worktree of this repository. Repeatable."""
        if any(one.reason.startswith(LOCKED_BY) for one in (await self.worktrees()).values()):
            return
        listed = await self.git.text("for-each-ref", "--format=%(refname)", "--", base_ref(""))
        for ref in listed.splitlines():
            await self.git.run("update-ref", "-d", ref)

    async def bring(self, mirror: Mirror, sha: str) -> None:
        """Have a commit of the mirror's here, under no ref."""
        await self._fetch(mirror, sha)

    async def _fetch(self, mirror: Mirror, refspec: str) -> None:
        await self.git.run(*FETCH, "--", str(mirror.path), refspec, timeout=FETCH_TIMEOUT)

    async def add(self, path: str, branch: str, start: str, *, reason: str) -> str:
        """Register a worktree, locked and without files, on `branch` at `start`; returns its git folder.

        The branch is made, or set, there: the caller has looked at what it was. A registration whose
        folder is gone is taken over.
        """
        await self.git.run(
            *("worktree", "add", "--quiet", "--no-track", "--no-checkout", "--force", "--force"),
            *("--lock", "--reason", reason, "-B", branch, "--", path, start),
        )
        return await files_of(self.git.git_dir.parent).run(_git_dir, Path(path))

    async def unregister(self, path: str) -> None:
        """Forget a worktree whose folder is gone. One that is not known is no error."""
        if await files_of(self.git.git_dir.parent).run(os.path.realpath, path) in await self.worktrees():
            await self.git.run("worktree", "remove", "--force", "--force", "--", path)

    async def delete_branch(self, name: str, sha: str) -> None:
        """Delete a branch if it still is at `sha`."""
        await self.git.run("update-ref", "-d", f"refs/heads/{name}", sha)


def _by_real_path(worktrees: list[Registered]) -> dict[str, Registered]:
    # git calls a locked worktree sound even when its folder is gone.
    return {
        os.path.realpath(one.path): replace(one, broken=one.broken or not Path(one.path).is_dir())
        for one in worktrees
    }


def _git_dir(path: Path) -> str:
    with beneath.folder(path, ()) as fd:
        text = beneath.read(fd, ".git", 10_000).decode().strip()
    folder = text.removeprefix("gitdir: ")
    if not text.startswith("gitdir: ") or not Path(folder).is_dir():
        msg = f"{path} was made, but its link to the repository is not readable."
        raise TemporaryError(msg)
    return folder


def set_aside(path: Path) -> str:
    """Rename what stands at a path that a workspace needs; returns where it is now."""
    number = 1
    while (aside := path.with_name(f"{path.name}.set-aside-{number}")).exists():
        number += 1
    path.rename(aside)
    return str(aside)


def delete_tree(path: Path) -> None:
    """Delete a folder with all in it, links as links, also below folders that are write-protected."""
    for folder, _, _ in os.walk(path):
        here = Path(folder)
        if here.stat().st_mode & 0o300 != 0o300:
            here.chmod(0o700)
    with beneath.folder(path.parent, ()) as fd:
        beneath.remove(fd, path.name)
