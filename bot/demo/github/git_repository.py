"""A bare git repository of the fake GitHub. Every call is a process of its own that does not block the loop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

LIMIT = 60.0
"""Seconds that one git command may take."""
ZERO = "0" * 40
_HOOK = """\
#!/bin/sh
# update REF OLD NEW: branch rules, and workflow files for tokens without that right.
branch=${1#refs/heads/}
if [ -f ao-protected ] && grep -qxF -- "$branch" ao-protected; then
  echo "error: GH006: Protected branch update failed for $1." >&2
  echo "error: Changes must be made through a pull request." >&2
  exit 1
fi
if [ -n "$AO_NO_WORKFLOW" ] && [ "$3" != "$(printf %040d 0)" ]; then
  old=$2; [ "$old" = "$(printf %040d 0)" ] && old=$(git merge-base HEAD "$3" 2>/dev/null)
  found=$(git diff --name-only "${old:-4b825dc642cb6eb9a060e54bf8d69288fbee4904}" "$3" -- .github/workflows | head -n 1)
  if [ -n "$found" ]; then
    echo "refusing to allow $AO_NO_WORKFLOW to create or update workflow \\`$found\\` without $AO_WORKFLOW_RIGHT" >&2
    exit 1
  fi
fi
"""


class GitFailed(Exception):
    """Git said no; the text is what it wrote."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Who makes a commit."""

    name: str
    email: str


SOMEBODY = Signature("GitHub", "noreply@github.com")


def environment(home: Path) -> dict[str, str]:
    """Nothing of the person's own configuration."""
    fixed = {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
    }
    return {"PATH": os.environ.get("PATH", os.defpath), **fixed}


async def talk(
    argv: list[str], cwd: Path, env: Mapping[str, str], stdin: bytes, limit: float
) -> tuple[int, bytes, str]:
    """Run a program to its end: exit code, output, errors. Raises `TimeoutError`."""
    process = await asyncio.create_subprocess_exec(
        *argv, cwd=cwd, env=env,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        out, err = await asyncio.wait_for(process.communicate(stdin), limit)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, out, err.decode(errors="replace")


def _quoted(path: str) -> str:
    """For fast-import, whatever the name holds."""
    text = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'


def _is_repository(folder: Path) -> bool:
    return (folder / ".git").exists() or (folder / "objects").is_dir()


def _files(folder: Path) -> dict[str, bytes | None]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@dataclass(frozen=True, slots=True)
class Git:
    """One bare repository."""

    path: Path
    now: Callable[[], float]
    gate: asyncio.Semaphore
    """How many processes there may be at once."""

    async def run(self, *argv: str, stdin: bytes = b"", by: Signature = SOMEBODY, fails: bool = True) -> str:
        """Its output. Raises `GitFailed` unless `fails` is False."""
        code, out, err = await self.raw(*argv, stdin=stdin, by=by)
        if code and fails:
            raise GitFailed(err or out.decode(errors="replace"))
        return out.decode(errors="replace")

    async def raw(
        self, *argv: str, stdin: bytes = b"", by: Signature = SOMEBODY, cwd: Path | None = None
    ) -> tuple[int, bytes, str]:
        """Exit code, output, errors."""
        when = f"{int(self.now())} +0000"
        env = environment(self.path.parent)
        for role in ("AUTHOR", "COMMITTER"):
            env |= {f"GIT_{role}_NAME": by.name, f"GIT_{role}_EMAIL": by.email, f"GIT_{role}_DATE": when}
        async with self.gate:
            return await talk(["git", *argv], cwd or self.path, env, stdin, LIMIT)

    async def create(self, branch: str, seed: Path | None) -> None:
        """Make it: empty, with the files of a folder as its first commit, or as a copy of a git repository."""
        await asyncio.to_thread(self._make_folder)
        await self.run("init", "-q", "--bare", f"--initial-branch={branch}", ".")
        settings = {
            "http.receivepack": "true",
            "uploadpack.allowReachableSHA1InWant": "true",
            "receive.hideRefs": "refs/pull",
            "core.logAllRefUpdates": "false",
            "gc.auto": "0",
        }
        for name, value in settings.items():
            await self.run("config", name, value)
        if seed is None:
            return
        if await asyncio.to_thread(_is_repository, seed):
            await self.run("fetch", "-q", str(seed), "+refs/heads/*:refs/heads/*")
        else:
            await self.commit(branch, await asyncio.to_thread(_files, seed), "First commit")

    def _make_folder(self) -> None:
        hook = self.path / "hooks" / "update"
        hook.parent.mkdir(parents=True)
        hook.write_text(_HOOK)
        hook.chmod(0o700)

    async def guard(self, branches: list[str]) -> None:
        """Take no pushes to these."""
        text = "".join(f"{name}\n" for name in branches)
        await asyncio.to_thread((self.path / "ao-protected").write_text, text)

    async def branches(self) -> dict[str, str]:
        """Branch -> SHA."""
        out = await self.run("for-each-ref", "--format=%(refname) %(objectname)", "refs/heads/")
        pairs = (line.split(" ", 1) for line in out.splitlines())
        return {name.removeprefix("refs/heads/"): sha for name, sha in pairs}

    async def resolve(self, name: str) -> str | None:
        """The commit that a branch, tag or SHA means."""
        out = await self.run(
            "rev-parse", "-q", "--verify", "--end-of-options", f"{name}^{{commit}}", fails=False
        )
        return out.strip() or None

    async def commit(
        self, branch: str, files: Mapping[str, bytes | None], message: str, *,
        parent: str | None = None, by: Signature = SOMEBODY,
    ) -> str:  # fmt: skip
        """Set a branch to a new commit on `parent` (none: a first one); None deletes a file. Returns its SHA."""
        text = message.encode()
        who = f"{by.name} <{by.email}> {int(self.now())} +0000"
        parts = [
            f"commit refs/heads/{branch}\nmark :1\ncommitter {who}\ndata {len(text)}\n".encode(),
            text,
            b"\n",
        ]
        if parent:
            parts.append(f"from {parent}\n".encode())
        for path, content in files.items():
            if content is None:
                parts.append(f"D {_quoted(path)}\n".encode())
            else:
                parts += [f"M 100644 inline {_quoted(path)}\ndata {len(content)}\n".encode(), content, b"\n"]
        parts.append(b"\nget-mark :1\n")
        return (await self.run("fast-import", "--quiet", "--force", stdin=b"".join(parts))).strip()

    async def merge_base(self, one: str, other: str) -> str | None:
        """Their common ancestor."""
        return (await self.run("merge-base", one, other, fails=False)).strip() or None

    async def merge_tree(self, base: str, head: str) -> tuple[str, bool]:
        """The tree of a merge, and whether it is without conflicts."""
        code, out, err = await self.raw("merge-tree", "--write-tree", "--name-only", base, head)
        if code > 1 or not out:
            raise GitFailed(err)
        return out.decode().splitlines()[0], code == 0

    async def commit_tree(self, tree: str, parents: list[str], message: str, by: Signature) -> str:
        """A commit object; no branch moves."""
        argv = [part for parent in parents for part in ("-p", parent)]
        return (await self.run("commit-tree", tree, *argv, stdin=message.encode(), by=by)).strip()

    async def move(self, ref: str, new: str, old: str | None = None) -> bool:
        """Set a ref if it still is `old`; False when it is not."""
        argv = [new] if old is None else [new, old]
        return (await self.raw("update-ref", ref, *argv))[0] == 0

    async def delete(self, ref: str) -> None:
        """Remove a ref."""
        await self.run("update-ref", "-d", ref)

    async def show(self, commit: str, path: str) -> str | None:
        """A file at a commit, or None."""
        code, out, _ = await self.raw("cat-file", "blob", f"{commit}:{path}")
        return None if code else out.decode(errors="replace")
