"""A session's place on this host: its paths are the host's paths, its commands are our child processes.

The files below its two roots belong to the session, so an agent may have put links there. Every step
below a root is opened by itself and a link is refused (`beneath`).
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from typing_extensions import override

from orchestrator.errors import BadInput, NotFound, PermanentError
from orchestrator.ports.place import Completed, Entry, Place, SharesHost
from plugins._shared import beneath, command
from plugins._shared.git import safe_environment, safe_settings
from plugins._shared.threads import FILE_LIMIT, files_of, trees_of

_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class HostPlace(Place, SharesHost):
    """Where one session lives on this host."""

    def __init__(self, folder: Path, workspaces: Path, environment: Mapping[str, str]) -> None:
        self._roots = (folder, workspaces)
        self._environment = dict(environment)
        self._files = files_of(workspaces.parent)

    @property
    @override
    def folder(self) -> str:
        return str(self._roots[0])

    @property
    @override
    def workspaces(self) -> str:
        return str(self._roots[1])

    @property
    @override
    def shares_host(self) -> bool:
        return True

    @override
    async def run(
        self,
        argv: Sequence[str],
        *,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        timeout: float = 60.0,
    ) -> Completed:
        whole = {**self._environment, **(env or {})}
        return await command.run(argv, cwd=cwd or self.folder, env=whole, stdin=stdin, timeout=timeout)

    @override
    async def read(self, path: str, *, limit: int = 1_000_000, offset: int = 0) -> bytes:
        def read() -> bytes:
            with self._parent(path) as (fd, name):
                return beneath.read_part(fd, name, limit, offset)

        return await self._files.run(read)

    @override
    async def write(self, path: str, data: bytes, *, mode: int = 0o600) -> None:
        def write() -> None:
            with self._parent(path, make=True) as (fd, name):
                _refuse_link(fd, name, path)
                beneath.replace(fd, name, data, mode=mode)

        await self._files.run(write)

    @override
    async def list(self, path: str) -> tuple[Entry, ...]:
        def entries() -> tuple[Entry, ...]:
            root, parts = self._inside(path)
            try:
                with beneath.folder(root, parts) as fd:
                    return tuple(_entry(name, found) for name, found in beneath.entries(fd))
            except NotFound:
                return ()

        return await self._files.run(entries)

    @override
    async def remove(self, path: str) -> None:
        def remove() -> None:
            try:
                with self._parent(path) as (fd, name):
                    beneath.remove(fd, name)
            except NotFound:
                return

        await trees_of(self._roots[1].parent).run(remove)

    @override
    @asynccontextmanager
    async def export(self, repository: str, ref: str) -> AsyncIterator[str]:
        # Nothing to make: git on this host can read the repository itself. It is asked by rev-parse
        # only, which runs no hook, filter or helper of the repository's configuration.
        wanted = f"{ref}^{{commit}}" if _SHA.fullmatch(ref) else ref
        question = ("rev-parse", "--verify", "--quiet", "--end-of-options", wanted)
        argv = ("git", "-C", repository, *safe_settings(), "-c", "safe.directory=*", *question)
        done = await command.run(argv, env=safe_environment(), timeout=FILE_LIMIT)
        if not done.ok:
            msg = f"{repository} has no {ref!r}. {done.error_text()}".strip()
            raise NotFound(msg)
        yield repository

    @contextmanager
    def _parent(self, path: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
        """The open folder that holds `path`, and its name in there."""
        root, parts = self._inside(path)
        if not parts:
            msg = f"{path} is a root of the session's place."
            raise BadInput(msg)
        if make:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with beneath.folder(root, parts[:-1], make=make, mode=0o700) as fd:
            yield fd, parts[-1]

    def _inside(self, path: str) -> tuple[Path, tuple[str, ...]]:
        for root in sorted(self._roots, key=lambda each: len(each.parts), reverse=True):
            if path == str(root):
                return root, ()
            if path.startswith(f"{root}/"):
                return root, beneath.parts_of(path.removeprefix(f"{root}/"))
        msg = f"{path} is neither below {self.folder} nor below {self.workspaces}."
        raise BadInput(msg)


def _refuse_link(fd: int, name: str, path: str) -> None:
    if beneath.kind(fd, name) == "link":
        msg = f"{path} is a link; links are not followed."
        raise PermanentError(msg)


def _entry(name: str, found: os.stat_result) -> Entry:
    return Entry(name=name, kind=beneath.kind_of(found.st_mode), size=found.st_size, modified=found.st_mtime)
