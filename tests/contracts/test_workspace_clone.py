"""Clones keep the promise of the workspace port."""

from __future__ import annotations

from pathlib import Path

import pytest
from typing_extensions import override

from orchestrator.ports.plugin import PluginContext
from orchestrator.ports.workspace import Workspace
from orchestrator.testing.contracts.workspace import WorkspaceContract
from orchestrator.testing.places import BubblewrapPlace, unavailable
from orchestrator.testing.workspaces import ENVIRONMENT, GitSetting
from plugins._shared.host_place import HostPlace
from plugins.workspace.clone import PLUGIN


class TestClone(WorkspaceContract):
    @override
    @pytest.fixture
    def workspace(self, tmp_path: Path) -> Workspace:
        return PLUGIN.create(PLUGIN.options(), PluginContext(home=tmp_path, data=str))

    @override
    @pytest.fixture
    async def setting(self, tmp_path: Path) -> GitSetting:
        return await GitSetting(
            tmp_path, lambda session: HostPlace(session.folder, session.project.worktrees, ENVIRONMENT)
        ).begin()


@pytest.mark.skipif(bool(unavailable()), reason=unavailable())
class TestCloneElsewhere(TestClone):
    """The same over a place that shares no path with this host."""

    @override
    @pytest.fixture
    async def setting(self, tmp_path: Path) -> GitSetting:
        inside = tmp_path / "inside"
        return await GitSetting(
            tmp_path,
            lambda s: BubblewrapPlace(inside / s.id / "session", inside / s.id / "work", ENVIRONMENT),
        ).begin()
