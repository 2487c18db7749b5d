"""Copies keep the promise of the workspace port; named files come along, also to a place elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from typing_extensions import override

from orchestrator.domain.look import Seen
from orchestrator.errors import BadInput
from orchestrator.ports.plugin import PluginContext
from orchestrator.ports.workspace import Workspace, WorkspaceView
from orchestrator.testing.contracts.workspace import WorkspaceContract
from orchestrator.testing.places import BubblewrapPlace, unavailable
from orchestrator.testing.workspaces import ENVIRONMENT, GitSetting
from plugins._shared.host_place import HostPlace
from plugins.workspace.copy import PLUGIN


async def here(root: Path) -> GitSetting:
    """Sessions on this host."""
    return await GitSetting(
        root, lambda session: HostPlace(session.folder, session.project.worktrees, ENVIRONMENT)
    ).begin()


async def elsewhere(root: Path) -> GitSetting:
    """Sessions in places that share no path with this host."""
    return await GitSetting(
        root,
        lambda session: BubblewrapPlace(
            root / "inside" / session.id / "session", root / "inside" / session.id / "work", ENVIRONMENT
        ),
    ).begin()


def copying(root: Path, *include: str) -> Workspace:
    """The plugin with files to bring."""
    options = PLUGIN.options.model_validate({"include": include})
    return PLUGIN.create(options, PluginContext(home=root, data=str))


class TestCopy(WorkspaceContract):
    @override
    @pytest.fixture
    def workspace(self, tmp_path: Path) -> Workspace:
        return copying(tmp_path)

    @override
    @pytest.fixture
    async def setting(self, tmp_path: Path) -> GitSetting:
        return await here(tmp_path)


@pytest.mark.parametrize(
    "world", [here, pytest.param(elsewhere, marks=pytest.mark.skipif(bool(unavailable()), reason="no bwrap"))]
)
async def test_named_files_come_along_and_are_no_work(
    world: Callable[[Path], Awaitable[GitSetting]], tmp_path: Path
) -> None:
    setting = await world(tmp_path)
    for name, text in {".env": "KEY=1", "data/one.bin": "1", "data/two.bin": "2", "not-named": "x"}.items():
        file = setting.project.path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    (setting.project.path / "data" / "link").symlink_to("/etc/hostname")
    workspace, session = copying(tmp_path, ".env", "data", "absent"), setting.session()
    place = setting.place(session)
    made = await workspace.create(session, place, setting.base)
    assert [await setting.read(session, made, n) for n in (".env", "data/two.bin")] == ["KEY=1", "2"]
    assert [await setting.read(session, made, n) for n in ("not-named", "data/link")] == ["", ""]
    look = (await workspace.observe([WorkspaceView(session=session, place=place)]))[session.id]
    assert isinstance(look, Seen)
    assert look.value.dirty == 0
    assert await workspace.save(session, place) is None


@pytest.mark.parametrize("path", ["../up", "/etc/passwd", "a/../../b"])
def test_what_leads_out_of_the_checkout_is_refused(path: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        copying(tmp_path, path)
