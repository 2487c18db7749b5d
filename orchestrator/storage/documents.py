"""Session documents: one TinyDB file per session, replaced atomically and durably.

The one place where tinydb is met. Writing one session costs the same with ten on the disk or ten thousand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinydb import TinyDB
from tinydb.storages import Storage
from tinydb.table import Document as TinyDocument
from typing_extensions import override

from orchestrator.domain.ids import ProjectId, SessionId, session_id, session_number
from orchestrator.domain.session import Session
from orchestrator.errors import BadInput, Conflict, DamagedFile, NotFound
from orchestrator.storage.codec import SESSION, Form
from orchestrator.storage.damage import Damaged, free_name
from orchestrator.storage.durable import move_folder, read_file, replace_file
from orchestrator.storage.faults import Faults
from orchestrator.storage.lanes import Lanes
from orchestrator.storage.layout import Home
from orchestrator.storage.migrations import Document

_THREADS = 3
_ONLY = 1
"""Number of the one document in a file."""


class _DurableFile(Storage):
    """Where TinyDB puts its tables. `fresh` writes over whatever is there, without reading it."""

    def __init__(self, path: Path, faults: Faults, *, fresh: bool) -> None:
        self._path = path
        self._faults = faults
        self._fresh = fresh

    @override
    def read(self) -> dict[str, dict[str, Any]] | None:
        if self._fresh:
            return None
        found = json.loads(read_file(self._path))
        if not _is_tables(found):
            msg = "it is no table of documents"
            raise ValueError(msg)
        return dict(found)

    @override
    def write(self, data: dict[str, dict[str, Any]]) -> None:
        content = json.dumps(data, allow_nan=False, separators=(",", ":")).encode("ascii")
        replace_file(self._path, content + b"\n", self._faults, "document")


def _is_tables(found: object) -> bool:
    """TinyDB takes anything else for granted and fails in the middle."""
    if not isinstance(found, dict) or not all(isinstance(table, dict) for table in found.values()):
        return False
    return all(isinstance(row, dict) for table in found.values() for row in table.values())


class DocumentFile:
    """One kept document in a file of its own. All methods block."""

    def __init__(self, path: Path, faults: Faults) -> None:
        self.path = path
        self._faults = faults

    def read(self) -> Document:
        """What is kept. Raises `OSError` where it cannot be read, `ValueError` where it is damaged."""
        with TinyDB(path=self.path, faults=self._faults, fresh=False, storage=_DurableFile) as database:
            found = database.get(doc_id=_ONLY)
        if found is None or isinstance(found, list):
            msg = "it holds no document"
            raise ValueError(msg)
        return dict(found)

    def write(self, document: Document) -> None:
        """Put `document` in place of what is kept. Raises `TemporaryError`; the old one is then intact."""
        with TinyDB(path=self.path, faults=self._faults, fresh=True, storage=_DurableFile) as database:
            database.insert(TinyDocument(document, doc_id=_ONLY))

    def set_aside(self, reason: str) -> Damaged:
        """Move the file out of the way, under a name that says so."""
        kept_as = free_name(self.path, "damaged")
        try:
            self.path.rename(kept_as)
        except OSError as error:
            return Damaged(path=self.path, reason=f"{reason}; it could not be moved away: {error.strerror}")
        return Damaged(path=self.path, reason=reason, kept_as=kept_as)

    def keep_original(self, version: object) -> None:
        """Keep the file beside itself, once, before a newer form takes its place."""
        original = self.path.with_name(f"{self.path.name}.v{version}")
        if not original.exists():
            replace_file(original, read_file(self.path), self._faults, "original")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was found on the disk at start."""

    sessions: tuple[Session, ...]
    damaged: tuple[Damaged, ...]


class Documents:
    """All session documents under one home. A `reader` does not hold the lock and changes nothing."""

    def __init__(
        self, home: Home, faults: Faults, form: Form[Session] = SESSION, *, reader: bool = False
    ) -> None:
        self._home = home
        self._faults = faults
        self._form = form
        self._reader = reader
        self._lanes = Lanes(_THREADS, "ao-documents")

    async def close(self) -> None:
        """Finish what is being written."""
        await self._lanes.close()

    @property
    def lanes(self) -> Lanes:
        """The threads: what is written into a session's folder never meets the folder being moved."""
        return self._lanes

    async def load_all(self) -> Loaded:
        """Every live session; ended ones are not looked at.

        A damaged file is set aside and told; a reader only tells it. Raises `NotReady` when a newer
        program wrote one of them; nothing is then changed.
        """
        return await self._lanes.run("load", self._load_all)

    def _load_all(self) -> Loaded:
        sessions: list[Session] = []
        broken: list[tuple[DocumentFile, str]] = []
        damaged: list[Damaged] = []
        for project in self._home.project_ids():
            for session in _session_names(self._home.project(project).sessions):
                file = DocumentFile(self._home.project(project).session(session).document, self._faults)
                try:
                    sessions.append(self._read(file, project, session))
                except FileNotFoundError:
                    continue  # reserved, and never begun: a crash came first
                except ValueError as error:
                    broken.append((file, str(error)))
                except OSError as error:
                    damaged.append(Damaged(path=file.path, reason=f"it could not be read: {error.strerror}"))
        # Only now is anything changed: one of a newer form refuses the start before this.
        for file, reason in broken:
            told = Damaged(path=file.path, reason=reason)
            damaged.append(told if self._reader else file.set_aside(reason))
        return Loaded(tuple(sessions), tuple(damaged))

    def _read(self, file: DocumentFile, project: ProjectId, session: SessionId) -> Session:
        document = file.read()
        found = self._form.from_document(document)
        if (found.project, found.id) != (project, session):
            msg = f"it is of session {found.id} of {found.project} and lies in the wrong folder"
            raise ValueError(msg)
        if not self._reader and document["v"] != self._form.version:
            file.keep_original(document["v"])
        return found

    def _must_write(self) -> None:
        if self._reader:
            msg = "the documents are open for reading only"
            raise RuntimeError(msg)

    async def write(self, session: Session) -> None:
        """Keep a session. Raises `TemporaryError`; what was kept before is then intact.

        Raises `NotFound` for one that was moved to the ended ones: it is not begun anew beside them.
        """
        self._must_write()
        folder = self._home.project(session.project)
        live, ended = folder.session(session.id), folder.ended_session(session.id)
        document = self._form.to_document(session)

        def write() -> None:
            if not live.path.is_dir() and ended.path.is_dir():
                msg = f"{session.id} has ended."
                raise NotFound(msg, next_step=f"`ao restore {session.id}` brings it back.")
            DocumentFile(live.document, self._faults).write(document)

        await self._lanes.run(session.id, write)

    async def move_to_ended(self, project: ProjectId, session: SessionId) -> None:
        """Put a session's whole folder among the ended ones. Done already is no error.

        Raises `NotFound`, `TemporaryError`.
        """
        folder = self._home.project(project)
        old, new = folder.session(session).path, folder.ended_session(session).path
        await self._lanes.run(session, self._move, old, new)

    async def bring_back(self, project: ProjectId, session: SessionId) -> None:
        """Put an ended session's folder among the live ones. Done already is no error.

        Raises `NotFound`, `TemporaryError`.
        """
        folder = self._home.project(project)
        old, new = folder.ended_session(session).path, folder.session(session).path
        await self._lanes.run(session, self._move, old, new)

    def _move(self, old: Path, new: Path) -> None:
        self._must_write()
        if old.is_dir() and new.is_dir():
            msg = f"Both {old} and {new} are there."
            raise Conflict(
                msg, session=old.name, next_step="Look which one is right and move the other away."
            )
        if old.is_dir():
            move_folder(old, new, self._faults, "session")
        elif not new.is_dir():
            msg = f"There is no session {old.name}."
            raise NotFound(msg)

    async def list_ended(self, project: ProjectId) -> tuple[SessionId, ...]:
        """Ids of the project's ended sessions, the newest first; their files are not opened."""
        folder = self._home.project(project).ended
        found = await self._lanes.run("ended", lambda: list(_session_names(folder)))
        return tuple(sorted(found, key=lambda session: (-session_number(session), session)))

    async def read_ended(self, project: ProjectId, session: SessionId) -> Session:
        """One ended session. Raises `NotFound`, `DamagedFile`."""
        file = DocumentFile(self._home.project(project).ended_session(session).document, self._faults)
        try:
            return await self._lanes.run(session, self._read, file, project, session)
        except FileNotFoundError as error:
            msg = f"There is no ended session {session} in {project}."
            raise NotFound(msg) from error
        except (OSError, ValueError) as error:
            msg = f"{file.path} cannot be read: {error}."
            raise DamagedFile(msg, session=session) from error


def _session_names(folder: Path) -> Iterator[SessionId]:
    if not folder.is_dir():
        return
    for entry in folder.iterdir():
        try:
            yield session_id(entry.name)
        except BadInput:
            continue  # not made by us, and none of our business
