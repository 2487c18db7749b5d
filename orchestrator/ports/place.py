"""A session's place: where its files are and its commands run. Given by the runtime.

Workspace, agent and rescue reach everything of a session through its place and never open a
host path, so that a container or another machine is a new file and not a new design. All paths
are absolute POSIX paths *in the place*; they may mean nothing on this host.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A command that ran to its end. A code other than 0 is a result, not an exception."""

    code: int
    stdout: bytes
    stderr: bytes

    @property
    def ok(self) -> bool:
        """The command said that it succeeded."""
        return self.code == 0

    def text(self) -> str:
        """Standard output as text, without the trailing line end; bad bytes are replaced."""
        return self.stdout.decode(errors="replace").rstrip("\n")

    def error_text(self) -> str:
        """The last lines of standard error (else output), for a message to a person."""
        raw = self.stderr or self.stdout
        return raw.decode(errors="replace").strip()[-2000:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a folder. Links are named as links and never followed."""

    name: str
    kind: str
    """`file`, `folder`, `link` or `other`."""
    size: int = 0
    modified: float = 0.0


class Place(Protocol):
    """Where one session lives. Every call is bounded in time and raises `TemporaryError` on expiry."""

    @property
    def folder(self) -> str:
        """The session's own folder in this place: `prompt.md agent/ bin/ outbox/ inbox/`."""

    @property
    def workspaces(self) -> str:
        """The folder in this place below which workspaces are made."""

    async def run(
        self,
        argv: Sequence[str],
        *,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        timeout: float = 60.0,
    ) -> Completed:
        """Run a program to its end, as the session: its environment and nothing of ours.

        `env` is added to the session's allow-list. Output is kept up to 10 MB each. On expiry the
        whole process group is ended and `TemporaryError` raised; a program that does not exist
        raises `PermanentError`.
        """

    async def read(self, path: str, *, limit: int = 1_000_000, offset: int = 0) -> bytes:
        """At most `limit` bytes of a regular file from `offset` (negative: from its end).

        No component below `folder` or `workspaces` may be a link. Raises `NotFound`.
        """

    async def write(self, path: str, data: bytes, *, mode: int = 0o600) -> None:
        """Replace a file atomically, making missing folders (0700). Links are refused."""

    async def list(self, path: str) -> tuple[Entry, ...]:
        """A folder's entries by name; a folder that is not there has none."""

    async def remove(self, path: str) -> None:
        """Remove a file or a folder with all in it; not there is no error. Links are not followed."""

    def export(self, repository: str, ref: str) -> AbstractAsyncContextManager[str]:
        """What `git fetch <it> <ref>` on *this host* can read to get `ref` of a repository there.

        A path of a repository or of a bundle file; gone when the context ends. Nothing of the
        repository's configuration is run with credentials of ours. Raises `NotFound` without the ref.
        """


@runtime_checkable
class SharesHost(Protocol):
    """A place whose paths are this host's paths: a worktree of a local repository can be made."""

    @property
    def shares_host(self) -> bool:
        """True when paths in the place and on the host are the same."""
