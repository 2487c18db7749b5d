"""A place in memory, for tests of whatever reads and writes a session's files. Runs nothing by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from posixpath import normpath

from typing_extensions import override

from orchestrator.errors import BadInput, NotFound, PermanentError
from orchestrator.ports.place import Completed, Entry, Place

Run = Callable[[Sequence[str]], Completed]


def _no_program(argv: Sequence[str]) -> Completed:
    msg = f"there is no program {argv[0]!r}."
    raise PermanentError(msg)


class FakePlace(Place):
    """Files in a dictionary, by path. `answer` is what stands for running a command."""

    def __init__(self, answer: Run = _no_program) -> None:
        self.files: dict[str, bytes] = {}
        self.exports: dict[tuple[str, str], str] = {}
        """What `export` yields, by (repository, ref)."""
        self.commands: list[tuple[str, ...]] = []
        self._answer = answer

    @property
    @override
    def folder(self) -> str:
        return "/session"

    @property
    @override
    def workspaces(self) -> str:
        return "/work"

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
        self.commands.append(tuple(argv))
        return self._answer(argv)

    @override
    async def read(self, path: str, *, limit: int = 1_000_000, offset: int = 0) -> bytes:
        data = self.files.get(self._inside(path))
        if data is None:
            msg = f"{path} is not there."
            raise NotFound(msg)
        start = offset if offset >= 0 else max(len(data) + offset, 0)
        return data[start : start + limit]

    @override
    async def write(self, path: str, data: bytes, *, mode: int = 0o600) -> None:
        inside = self._inside(path)
        if any(known.startswith(f"{inside}/") for known in self.files):
            msg = f"{path} is a folder."
            raise PermanentError(msg)
        self.files[inside] = data

    @override
    async def list(self, path: str) -> tuple[Entry, ...]:
        root = f"{self._inside(path)}/"
        found: dict[str, Entry] = {}
        for known, data in self.files.items():
            if known.startswith(root):
                name, _, deeper = known.removeprefix(root).partition("/")
                kind = "folder" if deeper else "file"
                found[name] = Entry(name=name, kind=kind, size=0 if deeper else len(data))
        return tuple(found[name] for name in sorted(found))

    @override
    async def remove(self, path: str) -> None:
        inside = self._inside(path)
        self.files = {k: v for k, v in self.files.items() if k != inside and not k.startswith(f"{inside}/")}

    @override
    @asynccontextmanager
    async def export(self, repository: str, ref: str) -> AsyncIterator[str]:
        if (repository, ref) not in self.exports:
            msg = f"{repository} has no {ref!r}."
            raise NotFound(msg)
        yield self.exports[repository, ref]

    def _inside(self, path: str) -> str:
        roots = (self.folder, self.workspaces)
        inside = path in roots or path.startswith(tuple(f"{root}/" for root in roots))
        if not inside or normpath(path) != path.rstrip("/"):
            msg = f"{path} is not in this place."
            raise BadInput(msg)
        return path.rstrip("/")
