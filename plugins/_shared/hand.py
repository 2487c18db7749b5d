"""How a bare repository of ours is worked beside a session's files: on this host, or in its place.

`HostHand` is our mirror, where the place shares this host: nothing runs as the session, and no
configuration of the session counts. `PlaceHand` is a bare repository in the session's own folder of
a place elsewhere: git runs there as the session, still with our settings instead of its own.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO, Protocol

from typing_extensions import override

from orchestrator.errors import NotFound, PermanentError
from orchestrator.ports.place import Completed, Entry, Place
from plugins._shared import whole_file
from plugins._shared.command import LIMIT
from plugins._shared.git import Git, failure, safe_environment, safe_settings
from plugins._shared.mirror import FETCH, FETCH_TIMEOUT, Mirror
from plugins._shared.threads import files_of, trees_of

_SMALL = 1_000_000
_COPIED = 256_000_000
"""Bytes that a file of a session may have to be copied: an index of more than a million files."""


class Hand(Protocol):
    """A bare repository, and what can be done with it beside a session's files."""

    @property
    def store(self) -> str:
        """The path of the bare repository, where the commands run."""

    async def git(
        self, git_dir: str, *args: str, env: Mapping[str, str] | None = None, stdin: bytes = b""
    ) -> Completed:
        """Run git on a git folder with safe settings; a code other than 0 is an answer."""

    async def fetch(self, source: str, into: str) -> str:
        """Bring HEAD of a repository there into `into` and return its commit."""

    async def fetch_all(self, source: str, patterns: Mapping[str, str]) -> None:
        """Bring all refs of a repository there that match patterns, as `Mirror.fetch_all`."""

    async def read(self, path: str) -> bytes:
        """A small file, empty when it is not there. Links are not followed."""

    async def write(self, path: str, data: bytes) -> None:
        """Replace a file atomically, making missing folders."""

    async def copy(self, source: str, target: str) -> bool:
        """Copy a regular file; False when there is none. Raises `PermanentError` for one too large."""

    async def kind(self, path: str) -> str:
        """`file`, `folder`, `link`, `other`, or empty when nothing is there."""

    async def stamp(self, path: str) -> str:
        """Something that changes when the file does; empty when there is none."""

    async def remove(self, path: str) -> None:
        """Remove a folder of ours with all in it; not there is no error."""

    def deliver(self, ref: str) -> AbstractAsyncContextManager[str]:
        """What `git fetch <it> <ref>` on this host reads to get a ref of `store`; empty: the mirror has it."""


class HostHand(Hand):
    """Our mirror on this host, looking at files of this host."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._files, self._trees = files_of(mirror.path.parent), trees_of(mirror.path.parent)

    @property
    @override
    def store(self) -> str:
        return str(self._mirror.path)

    @override
    async def git(
        self, git_dir: str, *args: str, env: Mapping[str, str] | None = None, stdin: bytes = b""
    ) -> Completed:
        git = Git(Path(git_dir), env=env or {}, runner=self._mirror.git.runner)
        return await git.ask(*args, stdin=stdin, timeout=FETCH_TIMEOUT)

    @override
    async def fetch(self, source: str, into: str) -> str:
        return await self._mirror.fetch(source, "HEAD", into)

    @override
    async def fetch_all(self, source: str, patterns: Mapping[str, str]) -> None:
        await self._mirror.fetch_all(source, patterns)

    @override
    async def read(self, path: str) -> bytes:
        return await self._files.run(_read_regular, path, _SMALL) or b""

    @override
    async def write(self, path: str, data: bytes) -> None:
        await self._files.run(_replace, Path(path), data)

    @override
    async def copy(self, source: str, target: str) -> bool:
        return await self._trees.run(_copy_regular, source, Path(target))

    @override
    async def kind(self, path: str) -> str:
        return await self._files.run(_kind, path)

    @override
    async def stamp(self, path: str) -> str:
        return await self._files.run(_stamp, path)

    @override
    async def remove(self, path: str) -> None:
        await self._trees.run(shutil.rmtree, path, ignore_errors=True)

    @override
    def deliver(self, ref: str) -> AbstractAsyncContextManager[str]:
        return nullcontext("")


class PlaceHand(Hand):
    """A bare repository in the session's folder of its place; git runs as the session."""

    def __init__(self, place: Place) -> None:
        self._place = place

    @property
    @override
    def store(self) -> str:
        return f"{self._place.folder}/look.git"

    async def ensure(self, objects: str) -> None:
        """Make the repository, borrowing the session's own objects, if it is not there."""
        if await self.read(f"{self.store}/ao-made"):
            return
        done = await self.git(self.store, "init", "--quiet", "--bare", "--template=", self.store)
        if not done.ok:
            raise failure(done, what="No repository for looking could be made in the session's place")
        await self.write(f"{self.store}/objects/info/alternates", f"{objects}\n".encode())
        await self.write(f"{self.store}/ao-made", b"1\n")

    @override
    async def git(
        self, git_dir: str, *args: str, env: Mapping[str, str] | None = None, stdin: bytes = b""
    ) -> Completed:
        # The place's own PATH and HOME stay; only what steers git is ours.
        ours = {key: value for key, value in safe_environment().items() if key not in ("PATH", "HOME")}
        done = await self._place.run(
            ("git", f"--git-dir={git_dir}", *safe_settings(), *args),
            env={**ours, "GIT_CONFIG_COUNT": "0", **(env or {})},
            stdin=stdin,
            timeout=FETCH_TIMEOUT,
        )
        if len(done.stdout) >= LIMIT:
            msg = "The workspace has too many files to be looked at from outside its place."
            raise PermanentError(msg)
        return done

    @override
    async def fetch(self, source: str, into: str) -> str:
        await self._fetch("--", source, f"+HEAD:{into}")
        return (await self.git(self.store, "rev-parse", "--verify", into)).text()

    @override
    async def fetch_all(self, source: str, patterns: Mapping[str, str]) -> None:
        await self._fetch("--prune", "--", source, *(f"+{ref}:{into}" for ref, into in patterns.items()))

    async def _fetch(self, *args: str) -> None:
        done = await self.git(self.store, *FETCH, *args)
        if not done.ok:
            raise failure(done, what="The workspace's commits could not be read")

    @override
    async def read(self, path: str) -> bytes:
        try:
            return await self._place.read(path, limit=_SMALL)
        except NotFound:
            return b""

    @override
    async def write(self, path: str, data: bytes) -> None:
        await self._place.write(path, data)

    @override
    async def copy(self, source: str, target: str) -> bool:
        entry = await self._entry(source)
        if entry is None or entry.kind != "file":
            return False
        _refuse_large(source, entry.size)
        done = await self._place.run(("cp", "--", source, target))
        if not done.ok:
            msg = f"{source} could not be copied: {done.error_text()}"
            raise PermanentError(msg)
        return True

    @override
    async def kind(self, path: str) -> str:
        entry = await self._entry(path)
        return entry.kind if entry else ""

    @override
    async def stamp(self, path: str) -> str:
        entry = await self._entry(path)
        return f"{entry.size} {entry.modified}" if entry and entry.kind == "file" else ""

    async def _entry(self, path: str) -> Entry | None:
        folder, _, name = path.rpartition("/")
        return next((entry for entry in await self._place.list(folder) if entry.name == name), None)

    @override
    async def remove(self, path: str) -> None:
        await self._place.remove(path)

    @override
    def deliver(self, ref: str) -> AbstractAsyncContextManager[str]:
        return self._place.export(self.store, ref)


def failed_to_read(done: Completed) -> Sequence[str]:
    """Lines by which git says that it passed over something that it could not read."""
    words = (
        "could not open directory",
        "Permission denied",
        "File name too long",
        "unable to",
        "could not lstat",
    )
    lines = done.stderr.decode(errors="replace").splitlines()
    return [line for line in lines if any(word in line for word in words)]


def _open_regular(path: str) -> BinaryIO | None:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    file = os.fdopen(handle, "rb")
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return file
    file.close()
    return None


def _read_regular(path: str, limit: int) -> bytes | None:
    file = _open_regular(path)
    if file is None:
        return None
    with file:
        return file.read(limit)


def _copy_regular(source: str, target: Path) -> bool:
    """In pieces: whose file it is may have made it as large as they like, and may go on writing."""
    file = _open_regular(source)
    if file is None:
        return False
    with file:
        _refuse_large(source, os.fstat(file.fileno()).st_size)
        _replace(target, _pieces(source, file))
    return True


def _pieces(path: str, file: BinaryIO) -> Iterator[bytes]:
    whole = 0
    while piece := file.read(_SMALL):
        whole += len(piece)
        _refuse_large(path, whole)
        yield piece


def _refuse_large(path: str, size: int) -> None:
    if size > _COPIED:
        msg = f"{path} has {size} bytes; at most {_COPIED} are read."
        raise PermanentError(msg)


def _replace(path: Path, data: bytes | Iterable[bytes]) -> None:
    # Only for looking: whatever a crash leaves torn is read as changed, and made again.
    whole_file.replace(path, data, sync=whole_file.unsynced)


def _kind(path: str) -> str:
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return ""
    if stat.S_ISLNK(mode):
        return "link"
    if stat.S_ISDIR(mode):
        return "folder"
    return "file" if stat.S_ISREG(mode) else "other"


def _stamp(path: str) -> str:
    try:
        found = os.lstat(path)
    except OSError:
        return ""
    return f"{found.st_ino} {found.st_size} {found.st_mtime_ns}" if stat.S_ISREG(found.st_mode) else ""
