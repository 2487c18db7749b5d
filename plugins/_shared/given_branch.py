"""Branches of the user's own repository that a session is given to work on."""

from __future__ import annotations

from typing_extensions import override

from orchestrator.domain.ids import branch_name
from orchestrator.domain.project import Project
from orchestrator.errors import Conflict
from orchestrator.ports.workspace import TakesBranches
from plugins._shared.rescue import MirrorRescues
from plugins._shared.user_repository import UserRepository


class GivenBranches(MirrorRescues, TakesBranches):
    """The part of a workspace plugin that brings such a branch into the mirror."""

    @override
    async def bring_branch(self, project: Project, branch: str) -> str:
        branch_name(branch)
        repository = await UserRepository.open(project.path, self._template)
        if not await repository.branch(branch):
            return ""
        known = await repository.worktrees()
        holder = next((w.path for w in known.values() if w.branch == branch and not w.broken), "")
        if holder:
            msg = f"The branch {branch} is checked out in {holder}."
            raise Conflict(msg, next_step="Check out another branch there, or name another one here.")
        mirror = self._mirror(project)
        await mirror.ensure()
        into = f"refs/ao/given/{branch}"
        head = await mirror.fetch(str(repository.git.git_dir), f"refs/heads/{branch}", into)
        await mirror.delete_ref(into, head)  # nothing is pruned there; a name that stays is in another's way
        return head
