"""Slot `workspace`: the files that one session works on, and the care that none are lost."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from orchestrator.domain.ids import SessionId
from orchestrator.domain.look import Look
from orchestrator.domain.project import Project
from orchestrator.ports.place import Place
from orchestrator.ports.plugin import Slot
from orchestrator.ports.session_ref import SessionRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The commit that work starts from, as the scm fetched it into the project's mirror."""

    branch: str
    sha: str
    mirror: Path
    """Our bare repository on this host that has `sha`."""
    note: str = ""
    """What a person should know of it: the branch has also moved elsewhere, or was seen long ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A workspace that is ready."""

    path: str
    """In the session's place."""
    branch: str
    head: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceView:
    """What a workspace plugin looks through."""

    session: SessionRef
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceLook:
    """What one look at a workspace showed."""

    exists: bool
    head: str = ""
    branch: str = ""
    """Empty when HEAD is detached."""
    dirty: int = 0
    """Files changed or untracked and not ignored."""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """Work that is in our mirror now, under `ref`."""

    ref: str
    """`refs/ao/rescue/<session>/<n>`"""
    commit: str
    files: int
    """Uncommitted files in it."""
    commits: int
    """Commits in it that no forge branch and not the base has."""
    ignored: int = 0
    """Ignored files that are *not* in it."""
    notes: tuple[str, ...] = ()
    """What else a person should know of it: nested repositories, and what of them is not in it."""


class Workspace(Protocol):
    """Makes and removes workspaces. Never removes work that is nowhere else."""

    async def create(self, session: SessionRef, place: Place, base: Base, start: str = "") -> Made:
        """Make the workspace on `session.branch` and run the project's preparation in it.

        `start` is a commit in the mirror to start from instead of the base (restore); a branch of somebody
        else that stands exactly there and is checked out nowhere is worked on, and kept. Repeatable: a
        workspace of this session that is there already is finished and returned. Raises `Conflict`
        when the branch belongs to something else, `PermanentError` when preparation fails (its last
        lines are in the message); what was made so far is then left for `remove`.
        """

    async def observe(self, views: Collection[WorkspaceView]) -> Mapping[SessionId, Look[WorkspaceLook]]:
        """Look at all of them; one answer for each, never raising for one.

        Nothing of the session's repository configuration is run by the look.
        """

    async def save(self, session: SessionRef, place: Place) -> Saved | None:
        """Put uncommitted and unpushed work into the mirror; None when there is none.

        Works from our bare mirror with an index of its own; the session's index, branch and files
        stay as they are. Raises when anything could not be read: then nothing may be removed.
        """

    async def remove(self, session: SessionRef, place: Place) -> None:
        """Remove the workspace. Refuses with `Conflict` if it holds work that `save` did not keep.

        Repeatable; gone is success. The branch is removed too when nothing but the base is on it.
        """


@runtime_checkable
class Foresees(Protocol):
    """A workspace plugin that can tell before a session is made that its branch cannot be had."""

    async def refuse_branch(self, project: Project, branch: str) -> None:
        """Raise `Conflict` if the branch is there already, so that a new session cannot have it."""


@runtime_checkable
class TakesBranches(Protocol):
    """A workspace plugin that can begin on a branch of the user's own repository; asked for with `isinstance`."""

    async def bring_branch(self, project: Project, branch: str) -> str:
        """Have the branch in the mirror; returns its commit for `create`, empty when there is no such branch.

        Raises `Conflict` while it is checked out somewhere.
        """


WORKSPACE: Slot[Workspace] = Slot("workspace")
