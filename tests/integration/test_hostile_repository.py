"""Nothing that an agent plants in its repository is run by us, and no token of ours reaches it.

Each plant writes the variables it sees to a file of its own. Plants lie in the configuration and the
hooks that all worktrees share, in `.gitattributes`, in nested repositories and in the clone's own
repository; then everything that we do with a session is done, with a token in our environment.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.domain.look import Seen
from orchestrator.errors import AoError
from orchestrator.ports.plugin import Plugin, PluginContext
from orchestrator.ports.session_ref import SessionRef
from orchestrator.ports.workspace import Made, Workspace, WorkspaceView
from orchestrator.testing.workspaces import ENVIRONMENT, GitSetting
from plugins._shared.host_place import HostPlace
from plugins._shared.mirror import Mirror, base_ref, incoming
from plugins.workspace import clone, worktree

TOKEN = "ghp_not-for-agents"  # noqa: S105 - what must not arrive anywhere


class Plants:
    """Programs that tell that they were run, and who ran them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def program(self, name: str) -> str:
        """A program that notes its environment and passes its input on."""
        path = self.folder / name
        path.write_text(f'#!/bin/sh\nenv > "{self.folder}/{name}.ran"\ncat\nexit 0\n')
        path.chmod(0o755)
        return str(path)

    def ran(self) -> dict[str, str]:
        """Which ran, and with what environment."""
        return {file.stem: file.read_text() for file in self.folder.glob("*.ran")}

    def forget(self) -> None:
        """Start counting again."""
        for file in self.folder.glob("*.ran"):
            file.unlink()

    async def plant(self, setting: GitSetting, repository: str) -> None:
        """Plant everything that a repository's own configuration can have git run."""
        own = {
            "core.hooksPath": str(self.folder / "hooks"),
            "core.fsmonitor": self.program("fsmonitor"),
            "core.sshCommand": self.program("ssh"),
            "core.askPass": self.program("askpass"),
            "core.pager": self.program("pager"),
            "core.editor": self.program("editor"),
            "core.alternateRefsCommand": self.program("alternate"),
            "filter.evil.clean": self.program("clean"),
            "filter.evil.smudge": self.program("smudge"),
            "filter.daemon.process": self.program("process"),
            "diff.evil.textconv": self.program("textconv"),
            "diff.evil.command": self.program("diffcommand"),
            "diff.external": self.program("external"),
            "merge.evil.driver": self.program("merge"),
            "gpg.program": self.program("gpg"),
            "commit.gpgSign": "true",
            "tag.gpgSign": "true",
            "push.gpgSign": "if-asked",
            "credential.helper": f"!{self.program('credential')}",
            "uploadpack.packObjectsHook": self.program("packobjects"),
            "url.ext::sh -c evil.insteadOf": str(setting.project.folder),
            "remote.origin.url": f"ext::{self.program('ext')}",
            "remote.origin.promisor": "true",
            "remote.origin.uploadpack": self.program("uploadpack"),
        }
        for key, value in own.items():
            await setting.run("git", "-C", repository, "config", key, value)
        hooks = self.folder / "hooks"
        hooks.mkdir(exist_ok=True)
        for hook in HOOKS:
            program = self.program(f"hook-{hook}")
            (hooks / hook).write_text(f'#!/bin/sh\nexec "{program}" < /dev/null\n')
            (hooks / hook).chmod(0o755)


HOOKS = (
    *("post-checkout", "pre-commit", "post-commit", "post-index-change", "reference-transaction", "pre-push"),
    *("post-merge", "pre-receive", "update", "post-receive", "pre-auto-gc", "post-rewrite"),
)


@pytest.fixture
def plants(tmp_path: Path) -> Plants:
    return Plants(tmp_path / "plants")


@pytest.fixture
async def setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitSetting:
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.setenv("GIT_SSH_COMMAND", "false")
    return await GitSetting(
        tmp_path, lambda session: HostPlace(session.folder, session.project.worktrees, ENVIRONMENT)
    ).begin()


async def _attack(setting: GitSetting, plants: Plants, session: SessionRef, made: Made) -> None:
    """What an agent could leave in a workspace: attributes for every plant, changes, a nested repository."""
    attributes = "* filter=evil diff=evil merge=evil\n*.md filter=daemon\n"
    await setting.write(session, made, ".gitattributes", attributes)
    await setting.write(session, made, "README.md", "changed\n")
    await setting.write(session, made, "src/hello.py", "changed\n")
    await setting.write(session, made, "new.txt", "new\n")
    nested = f"{made.path}/nested"
    await setting.run("git", "init", "--quiet", nested)
    await setting.write(session, made, "nested/.gitattributes", attributes)
    await setting.write(session, made, "nested/inner.txt", "inner\n")
    await setting.run("git", "-C", nested, "add", "inner.txt")
    await setting.run("git", "-C", nested, "commit", "--quiet", "--message=inner")
    await setting.write(session, made, "nested/inner.txt", "changed inside\n")
    await plants.plant(setting, nested)
    await plants.plant(setting, made.path)


@pytest.mark.parametrize("plugin", [worktree.PLUGIN, clone.PLUGIN], ids=lambda plugin: plugin.name)
async def test_nothing_planted_is_run_by_us(
    plugin: Plugin[Workspace], setting: GitSetting, plants: Plants, tmp_path: Path
) -> None:
    workspace = plugin.create(plugin.options(), PluginContext(home=tmp_path, data=str))
    session = setting.session()
    place = setting.place(session)
    made = await workspace.create(session, place, setting.base)
    session = replace(session, workspace=made.path)
    await _attack(setting, plants, session, made)
    await setting.inside(session, made, "git", "commit", "--quiet", "--all", "--no-gpg-sign", "--message=x")
    await setting.write(session, made, "README.md", "changed again\n")
    assert {"clean", "process", "fsmonitor", "hook-reference-transaction"} <= set(plants.ran()), (
        "the plants do not work"
    )
    plants.forget()

    view = WorkspaceView(session=session, place=place)
    for _ in range(2):
        look = (await workspace.observe([view]))[session.id]
        assert isinstance(look, Seen), look
        assert look.value.dirty >= 3
    mirror = Mirror(setting.project.mirror)
    async with place.export(made.path, f"refs/heads/{session.branch}") as source:
        await mirror.fetch(source, f"refs/heads/{session.branch}", incoming(session.id))
    saved = await workspace.save(session, place)
    assert saved is not None
    assert plants.ran() == {}
    if plugin.name == "worktree":
        await _only_the_session_ran(workspace, setting, plants)
        plants.forget()
    await workspace.remove(session, place)
    assert plants.ran() == {}


async def _only_the_session_ran(workspace: Workspace, setting: GitSetting, plants: Plants) -> None:
    """The shared repository is still hostile: another session starts in it. Its checkout is the session's own."""
    second = setting.session(2)
    await workspace.create(second, setting.place(second), setting.base)
    for name, environment in plants.ran().items():
        assert TOKEN not in environment, name
        assert "GIT_AUTHOR_NAME=Agent\n" in environment, f"{name} was not run by the session"
    plants.forget()
    await workspace.remove(second, setting.place(second))
    assert plants.ran() == {}
    await _a_moved_base(workspace, setting)
    assert not any(TOKEN in environment for environment in plants.ran().values())


async def _a_moved_base(workspace: Workspace, setting: GitSetting) -> None:
    """New commits have to come into the hostile repository; its `insteadOf` may stop that, not steer it."""
    other = setting.project.folder / "other"
    await setting.run("git", "clone", "--quiet", str(setting.project.path), str(other))
    await setting.run("git", "-C", str(other), "commit", "--quiet", "--allow-empty", "--message=Second")
    mirror = Mirror(setting.project.mirror)
    sha = await mirror.fetch(str(other), "refs/heads/main", base_ref("main"))
    third = setting.session(3)
    with pytest.raises(AoError, match="not allowed"):
        await workspace.create(third, setting.place(third), replace(setting.base, sha=sha))
