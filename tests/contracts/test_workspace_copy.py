"""Copies keep the promise of the workspace port."""

from __future__ import annotations

from pathlib import Path

import pytest
from typing_extensions import override

from orchestrator.errors import BadInput
from orchestrator.ports.plugin import PluginContext
from orchestrator.ports.workspace import Workspace
from orchestrator.testing.contracts.workspace import WorkspaceContract
from orchestrator.testing.workspaces import ENVIRONMENT, GitSetting
from plugins._shared.host_place import HostPlace
from plugins.workspace.copy import PLUGIN


class TestCopy(WorkspaceContract):
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

    async def test_named_files_come_along_and_are_no_work(self, setting: GitSetting, tmp_path: Path) -> None:
        for name, text in {
            ".env": "KEY=1",
            "data/one.bin": "1",
            "data/two.bin": "2",
            "not-named": "x",
        }.items():
            file = setting.project.path / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
        (setting.project.path / "data" / "link").symlink_to("/etc/hostname")
        options = PLUGIN.options.model_validate({"include": [".env", "data", "absent"]})
        workspace = PLUGIN.create(options, PluginContext(home=tmp_path, data=str))
        session, made = await self.make(workspace, setting)
        assert [await setting.read(session, made, n) for n in (".env", "data/two.bin")] == ["KEY=1", "2"]
        assert [await setting.read(session, made, n) for n in ("not-named", "data/link")] == ["", ""]
        assert (await self.look(workspace, setting, session)).dirty == 0
        assert await workspace.save(session, setting.place(session)) is None

    @pytest.mark.parametrize("path", ["../up", "/etc/passwd", "a/../../b"])
    def test_what_leads_out_of_the_checkout_is_refused(self, path: str, tmp_path: Path) -> None:
        with pytest.raises(BadInput):
            PLUGIN.create(
                PLUGIN.options.model_validate({"include": [path]}), PluginContext(home=tmp_path, data=str)
            )
