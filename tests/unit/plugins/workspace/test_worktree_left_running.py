"""`ao` was killed, its git was not: the worktree appears between our look and our own git."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from orchestrator.errors import TemporaryError
from orchestrator.ports.place import Completed
from orchestrator.testing.workspaces import ENVIRONMENT, GitSetting
from plugins._shared import command
from plugins._shared.git import Git
from plugins._shared.host_place import HostPlace
from plugins.workspace.worktree import WorktreeOptions, WorktreeWorkspace


class LeftRunning:
    """Lets the earlier start's `git worktree add` end right before the first of ours."""

    def __init__(self) -> None:
        self.left = True

    async def __call__(
        self,
        argv: Sequence[str],
        *,
        cwd: str,
        env: Mapping[str, str],
        stdin: bytes = b"",
        timeout: float = 60.0,
    ) -> Completed:
        if self.left and "worktree" in argv and "add" in argv:
            self.left = False
            assert (await command.run(argv, cwd=cwd, env=env, timeout=timeout)).ok
        return await command.run(argv, cwd=cwd, env=env, stdin=stdin, timeout=timeout)


async def test_worktree_that_an_earlier_git_still_made_is_taken_over(tmp_path: Path) -> None:
    setting = await GitSetting(
        tmp_path, lambda session: HostPlace(session.folder, session.project.worktrees, ENVIRONMENT)
    ).begin()
    workspace = WorktreeWorkspace(WorktreeOptions(), git=Git(Path("/"), runner=LeftRunning()))
    session = setting.session(1)
    with pytest.raises(TemporaryError, match="an earlier start"):
        await workspace.create(session, setting.place(session), setting.base)
    made = await workspace.create(session, setting.place(session), setting.base)
    assert (made.head, made.branch) == (setting.base.sha, session.branch)
    assert await setting.run("git", "-C", made.path, "status", "--porcelain") == ""
