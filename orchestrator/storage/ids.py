"""New session ids: `<prefix>-<n>`, each given once, ever, to one process."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from orchestrator.disk import make_folder, sync_folder
from orchestrator.domain.ids import (
    ProjectId,
    SessionId,
    make_session_id,
    session_id,
    session_number,
    session_prefix,
)
from orchestrator.errors import BadInput
from orchestrator.storage.damage import write_failed
from orchestrator.storage.durable import read_file, replace_file
from orchestrator.storage.faults import Faults
from orchestrator.storage.lanes import Lanes
from orchestrator.storage.layout import Home


class Ids:
    """Gives out session ids under one home. An id that was given and not used is a gap, and stays one."""

    def __init__(self, home: Home, faults: Faults) -> None:
        self._home = home
        self._faults = faults
        self._lanes = Lanes(1, "ao-ids")

    async def reserve(self, project: ProjectId, prefix: str, taken: Iterable[int] = ()) -> SessionId:
        """A new id, its folder made. `taken` are numbers that others have, such as of remote branches.

        Raises `BadInput` for a prefix that is none or used up, `TemporaryError` when the disk refuses.
        """
        session_prefix(prefix)
        return await self._lanes.run("ids", self._reserve, project, prefix, max(taken, default=0))

    async def close(self) -> None:
        """Finish what was asked."""
        await self._lanes.close()

    def _reserve(self, project: ProjectId, prefix: str, taken: int) -> SessionId:
        counter = self._home.counters / prefix
        try:
            with self._alone():
                number = max(self._last(prefix), taken) + 1
                while self._is_used(session := make_session_id(prefix, number)):
                    number += 1
                # Counted first: a crash before the folder is made leaves a gap, never a second use.
                replace_file(counter, f"{number}\n".encode(), self._faults, "counter")
                folder = self._home.project(project).session(session).path
                make_folder(folder.parent)
                folder.mkdir(mode=0o700)
                sync_folder(folder.parent)
        except OSError as error:
            raise write_failed(counter, error) from error
        self._faults.reached("id.reserved")
        return session

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time, even where two believe that they may write."""
        make_folder(self._home.counters)
        path = self._home.counters / ".lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _last(self, prefix: str) -> int:
        """The highest number given so far; from the folders where the counter is lost."""
        try:
            return int(read_file(self._home.counters / prefix))
        except (FileNotFoundError, ValueError):
            return max((session_number(s) for s in self._all() if s.rpartition("-")[0] == prefix), default=0)

    def _is_used(self, session: SessionId) -> bool:
        """Ids are unique over all projects: the terminal server knows sessions by their id alone."""
        folders = (self._home.project(project) for project in self._home.project_ids())
        return any(
            f.session(session).path.exists() or f.ended_session(session).path.exists() for f in folders
        )

    def _all(self) -> Iterator[SessionId]:
        for project in self._home.project_ids():
            folder = self._home.project(project)
            for path in (*folder.sessions.glob("*"), *folder.ended.glob("*")):
                try:
                    yield session_id(path.name)
                except BadInput:
                    continue  # not made by us
