"""Clean checkouts of single commits, each in a folder of its own, for checks to run in."""

from __future__ import annotations

import asyncio
import shutil
import stat
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from orchestrator.errors import TemporaryError
from plugins._shared.git import Git
from plugins._shared.threads import files_of, trees_of

_TIMEOUT = 300.0


class Checkouts:
    """Checkouts of one repository of ours below `folder`."""

    def __init__(self, folder: Path, repository: Path) -> None:
        self._folder = folder
        self._repository = repository

    @asynccontextmanager
    async def checkout(self, head: str) -> AsyncIterator[Path]:
        """The files of one commit, without history; gone when the context ends.

        It is a repository of its own: what runs in it can ask git, and can change nothing else.
        """
        outer = await files_of(self._folder).run(self._new_folder)
        try:
            place = outer / "checkout"
            git = Git(place / ".git", work_tree=place)
            await git.run("init", "--quiet", "--template=", "--initial-branch=main")
            await git.run(
                *("fetch", "--quiet", "--depth=1", "--no-tags", "--no-write-fetch-head", "--refmap="),
                *("--no-recurse-submodules", "--", str(self._repository), f"+{head}:refs/ao/head"),
                timeout=_TIMEOUT,
            )
            await git.run("checkout", "--quiet", "--force", "--detach", head, "--", timeout=_TIMEOUT)
            yield place
        finally:
            await asyncio.shield(trees_of(self._folder).run(remove_tree, outer))

    async def sweep(self) -> None:
        """Remove what an earlier life left."""
        await trees_of(self._folder).run(remove_tree, self._folder)

    def _new_folder(self) -> Path:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            outer = Path(tempfile.mkdtemp(prefix="check-", dir=self._folder))
            (outer / "checkout").mkdir()
        except OSError as error:
            msg = f"A checkout could not be made: {error.strerror or error}."
            raise TemporaryError(msg, delay=30.0) from error
        return outer


def remove_tree(folder: Path) -> None:
    """Remove a folder with all in it, also what was made read-only; the rest goes at the next start."""

    def again(remove: Callable[..., object], path: str, _error: object) -> None:
        parent = Path(path).parent
        if not parent.is_relative_to(folder):
            return
        try:
            parent.chmod(stat.S_IRWXU)
            if Path(path).is_dir() and not Path(path).is_symlink():
                Path(path).chmod(stat.S_IRWXU)
                shutil.rmtree(path, ignore_errors=True)
            else:
                Path(path).unlink()
        except OSError:
            return

    if folder.exists():
        shutil.rmtree(folder, onerror=again)
