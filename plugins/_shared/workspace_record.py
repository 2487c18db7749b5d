"""What we know of a workspace that its files cannot tell: whose it is, and how far making it has come.

Kept at `$AO_HOME/projects/<project>/workspaces/<session>.json`, out of reach of what runs in it, and
written before each step, so that after a crash the step is done again and nothing of an agent is
ever taken for something half made.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from orchestrator.domain.ids import SessionId, session_id
from orchestrator.errors import BadInput, DamagedFile
from orchestrator.ports.session_ref import SessionRef
from plugins._shared import whole_file

VERSION = 1


class Step(StrEnum):
    """The step that was begun; all before it are done."""

    MAKING = "making"
    FILLING = "filling"
    """The files are being written. Nobody has worked here yet: they may be written again."""
    PREPARING = "preparing"
    READY = "ready"
    REMOVING = "removing"
    """Its work was seen to be safe; what is left of its files is no work."""
    REMOVED = "removed"
    """Gone, but its branch has work on it and still is this session's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One workspace."""

    session: SessionId
    path: str
    branch: str
    base: str
    """Base branch."""
    base_sha: str
    """Where the base was then."""
    step: Step
    git_dir: str = ""
    made_branch: bool = True
    """We made the branch, so we may delete it."""


def _path(session: SessionRef) -> Path:
    return session.project.folder / "workspaces" / f"{session.id}.json"


def read(session: SessionRef) -> Record | None:
    """The record of a session's workspace; None before there is one. Raises `DamagedFile`."""
    path = _path(session)
    try:
        data = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        msg = f"{path} cannot be read: {error}"
        raise DamagedFile(msg, session=session.id) from error
    try:
        if data.pop("v") != VERSION:
            msg = f"{path} has a form that this version does not know."
            raise DamagedFile(msg, session=session.id)
        return Record(**{**data, "step": Step(data["step"]), "session": session_id(data["session"])})
    except (KeyError, TypeError, ValueError, AttributeError, BadInput) as error:
        msg = f"{path} does not say what it should: {error}"
        raise DamagedFile(msg, session=session.id) from error


def write(session: SessionRef, record: Record) -> Record:
    """Keep a record durably; returns it."""
    whole_file.replace(_path(session), json.dumps({"v": VERSION, **asdict(record)}).encode())
    return record


def forget(session: SessionRef) -> None:
    """Remove the record."""
    _path(session).unlink(missing_ok=True)
