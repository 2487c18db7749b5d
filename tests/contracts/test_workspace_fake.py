"""The fake workspace keeps the promise of the port."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from typing_extensions import override

from orchestrator.domain.ids import ProjectId
from orchestrator.domain.project import Project
from orchestrator.errors import NotFound
from orchestrator.ports.place import Completed, Place
from orchestrator.ports.session_ref import SessionRef
from orchestrator.ports.workspace import Base, Made, Workspace
from orchestrator.testing.contracts.workspace import SharedBranches, WorkspaceContract
from orchestrator.testing.fakes.place import FakePlace
from orchestrator.testing.fakes.workspace import FakeWorkspace
from orchestrator.testing.workspaces import Setting


class ShellPlace(FakePlace):
    """Understands the two command lines that the contract prepares workspaces with."""

    def __init__(self) -> None:
        super().__init__(self._play)

    def _play(self, argv: Sequence[str]) -> Completed:
        line = argv[-1]
        if match := re.fullmatch(r"echo (\w+) > ([\w.]+)", line):
            self.files[f"/work/demo-1/{match[2]}"] = f"{match[1]}\n".encode()
            return Completed(code=0, stdout=b"", stderr=b"")
        assert line == "echo the reason >&2; exit 3", line
        return Completed(code=3, stdout=b"", stderr=b"the reason\n")


class FakeSetting(Setting):
    """Places in memory round a workspace in memory."""

    def __init__(self, workspace: FakeWorkspace, root: Path) -> None:
        self._workspace = workspace
        self._places: dict[str, ShellPlace] = {}
        self.project = Project(
            id=ProjectId("demo"),
            name="demo",
            path=root,
            default_branch="main",
            prefix="demo",
            folder=root,
        )
        self.base = Base(branch="main", sha="1" * 40, mirror=root)

    @override
    def place(self, session: SessionRef) -> Place:
        return self._places.setdefault(session.id, ShellPlace())

    @override
    async def write(self, session: SessionRef, made: Made, name: str, text: str) -> None:
        await self._workspace.edit(session.id, name, text)

    @override
    async def read(self, session: SessionRef, made: Made, name: str) -> str:
        try:
            return (await self.place(session).read(f"{made.path}/{name}")).decode().rstrip("\n")
        except NotFound:
            return ""

    @override
    async def commit(self, session: SessionRef, made: Made) -> str:
        return await self._workspace.commit(session.id)

    @override
    async def pushed(self, session: SessionRef, commit: str) -> None:
        self._workspace.pushed.add(commit)


class TestFake(WorkspaceContract, SharedBranches):
    @override
    @pytest.fixture
    def workspace(self) -> Workspace:
        return FakeWorkspace()

    @override
    @pytest.fixture
    def setting(self, workspace: Workspace, tmp_path: Path) -> Setting:
        assert isinstance(workspace, FakeWorkspace)
        return FakeSetting(workspace, tmp_path)
