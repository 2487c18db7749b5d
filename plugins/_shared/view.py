"""A look at a session's files from a repository of ours: its own HEAD and index, their work tree.

A view is laid out like the git folder of a linked worktree (`HEAD`, `commondir`, `index`), so that
git's own commands work on it while configuration, hooks and objects are those of our repository.
The index is begun from a copy of the session's: that is quick, and a file that a filter of the
session's (git-lfs) made differ from its blob counts as unchanged as long as the session's git says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.errors import NotFound, PermanentError
from orchestrator.ports.place import Completed
from plugins._shared.git import failure
from plugins._shared.hand import Hand, failed_to_read

# Commits made by looking carry no time of theirs, so that looking twice at the same gives the same.
_NO_TIME = dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), "946684800 +0000")


@dataclass(frozen=True, slots=True)
class Head:
    """Where a session's HEAD stands."""

    sha: str
    """Empty on a branch without commits."""
    branch: str
    """Empty when detached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The files that are looked at, and the git folder that belongs to them."""

    work_tree: str
    git_dir: str
    exclude: str = ""
    """The repository's own `info/exclude`, which is honoured as patterns."""
    links: tuple[str, ...] = ()
    """Paths that we made links of: not work, as long as they are links."""


class View:
    """One view. `name` says whose it is; nested repositories have views of their own."""

    def __init__(self, hand: Hand, name: str, target: Target) -> None:
        self.hand = hand
        self.name = name
        self.target = target
        self.path = f"{hand.store}/ao-views/{name}"

    async def head(self) -> Head:
        """Where the session's HEAD stands now. Raises `NotFound` when there is no repository."""
        both = await self.hand.git(self.target.git_dir, "rev-parse", "HEAD", "--symbolic-full-name", "HEAD")
        if both.ok:
            sha, _, name = both.text().partition("\n")
            return Head(sha, name.removeprefix("refs/heads/") if name.startswith("refs/heads/") else "")
        unborn = await self.hand.git(self.target.git_dir, "symbolic-ref", "--quiet", "HEAD")
        if (
            unborn.ok
            and not (await self.hand.git(self.target.git_dir, "rev-parse", "-q", "--verify", "HEAD")).ok
        ):
            return Head("", unborn.text().removeprefix("refs/heads/"))
        msg = f"{self.target.work_tree} has no readable repository: {both.error_text()}"
        raise NotFound(msg)

    async def point(self, head: Head, into: str) -> str:
        """Bring HEAD's commit here (as ref `into`) and let the view stand on it; returns the commit."""
        sha = head.sha
        if sha and (await self.hand.read(f"{self.path}/HEAD")).decode().strip() != sha:
            sha = await self._bring(sha, into)
        await self._write("commondir", b"../..\n")
        await self._write("HEAD", f"{sha or 'ref: refs/ao/unborn'}\n".encode())
        await self._write("exclude", await self._patterns())
        return sha

    async def _bring(self, sha: str, into: str) -> str:
        # A commit that a ref of ours has is here with all that belongs to it: nothing to fetch.
        known = await self.hand.git(
            self.hand.store, "for-each-ref", "--count=1", f"--points-at={sha}", "refs/ao/base/", into
        )
        return sha if known.ok and known.stdout else await self.hand.fetch(self.target.git_dir, into)

    async def _write(self, name: str, data: bytes) -> None:
        if await self.hand.read(f"{self.path}/{name}") != data:
            await self.hand.write(f"{self.path}/{name}", data)

    async def _patterns(self) -> bytes:
        theirs = await self.hand.read(self.target.exclude) if self.target.exclude else b""
        there = [
            link
            for link in self.target.links
            if await self.hand.kind(f"{self.target.work_tree}/{link}") == "link"
        ]
        lines = [pattern(link) for link in there]
        return theirs + b"\n" + "\n".join(lines).encode() + b"\n"

    async def seed(self, index: str = "index") -> None:
        """Begin an index of ours from the session's; from HEAD where that cannot be read."""
        copied = await self.hand.copy(f"{self.target.git_dir}/index", f"{self.path}/{index}")
        if not copied or not (await self.ask("ls-files", "--", "ao-no-such-path", index=index)).ok:
            await self.reset(index)

    async def refresh(self) -> None:
        """Begin the lasting index again if the session's changed since; else what was read is still known."""
        stamp = (await self.hand.stamp(f"{self.target.git_dir}/index")).encode()
        if not stamp or await self.hand.read(f"{self.path}/seeded") != stamp:
            await self.seed()
            await self._write("seeded", stamp)

    async def forget(self) -> None:
        """Remove what we keep for looking, of nested repositories too."""
        await self.hand.remove(self.path)

    async def reset(self, index: str = "index") -> None:
        """Begin an index of ours from HEAD."""
        empty = (await self.hand.read(f"{self.path}/HEAD")).startswith(b"ref:")
        await self.run("read-tree", "--empty", index=index)
        if not empty:
            await self.run("read-tree", "HEAD", index=index)

    async def ask(self, *args: str, index: str = "index", stdin: bytes = b"") -> Completed:
        """Run git on the view; a code other than 0 is an answer."""
        return await self.hand.git(
            self.path,
            f"--work-tree={self.target.work_tree}",
            *("-c", f"core.excludesFile={self.path}/exclude"),
            *args,
            env={"GIT_INDEX_FILE": f"{self.path}/{index}", **_NO_TIME},
            stdin=stdin,
        )

    async def run(self, *args: str, index: str = "index", stdin: bytes = b"") -> Completed:
        """Run git on the view; raise when it fails."""
        done = await self.ask(*args, index=index, stdin=stdin)
        if not done.ok:
            raise failure(done, what=f"Looking at {self.target.work_tree} failed: git {args[0]}")
        return done

    async def run_whole(self, *args: str, index: str = "index", stdin: bytes = b"") -> Completed:
        """Run git; raise `PermanentError` also when it passed over something that it could not read."""
        done = await self.ask(*args, index=index, stdin=stdin)
        lines = failed_to_read(done)
        if done.ok and not lines:
            return done
        if lines:
            msg = f"Some files in {self.target.work_tree} cannot be read: {'; '.join(lines[:3])}"
            raise PermanentError(msg, next_step="Make them readable, or move them away, then try again.")
        raise failure(done, what=f"Reading {self.target.work_tree} failed")

    async def dirty(self) -> int:
        """How many files are changed, or untracked and not ignored."""
        command = (
            *("status", "--porcelain=v1", "-z", "--untracked-files=all"),
            *("--ignore-submodules=all", "--no-renames"),
        )
        done = await self.ask(*command)
        if not done.ok:
            await self.reset()
            done = await self.run(*command)
        return done.stdout.count(b"\0")


def pattern(path: str) -> str:
    """The line of an ignore file that matches exactly one path."""
    return "/" + re.sub(r"([\\*?\[\]! #])", r"\\\1", path)


def paths(done: Completed) -> list[str]:
    """The NUL-separated paths of an output; bad bytes survive a way back by `to_stdin`."""
    return [part for part in done.stdout.decode(errors="surrogateescape").split("\0") if part]


def to_stdin(lines: Iterable[str]) -> bytes:
    """Lines as NUL-separated input."""
    return b"".join(line.encode(errors="surrogateescape") + b"\0" for line in lines)
