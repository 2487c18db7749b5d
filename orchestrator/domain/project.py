"""A project: one repository that agents work on, as plugins are told of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orchestrator.domain.ids import ProjectId


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What any part needs to know of a project. Full settings stay in `orchestrator.settings`."""

    id: ProjectId
    name: str
    """For people; the id unless the configuration says otherwise."""
    path: Path
    """The user's own checkout. Read, fetched from, given worktrees; never otherwise changed."""
    default_branch: str
    """The branch that work starts from and is merged into."""
    prefix: str
    """Session ids are `<prefix>-<n>`."""
    folder: Path
    """`$AO_HOME/projects/<id>`: mirror, forge, worktrees and sessions lie under it."""
    repo: str = ""
    """`owner/name` on the forge; empty without one."""
    symlinks: tuple[str, ...] = ()
    """Paths, relative to the repository, that a worktree links to instead of having its own."""
    post_create: tuple[str, ...] = ()
    """Commands that prepare a new workspace; they come from a configuration a person trusted."""

    @property
    def mirror(self) -> Path:
        """Our bare repository: the only place where git runs with credentials of ours."""
        return self.folder / "mirror.git"

    @property
    def worktrees(self) -> Path:
        """Where workspaces are made unless the workspace plugin's `root` says otherwise."""
        return self.folder / "worktrees"
