"""What a saved workspace holds when it is full of odd things, and what raises instead of being lost."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from orchestrator.domain.look import Seen, Unseen
from orchestrator.errors import PermanentError
from orchestrator.ports.place import Place
from orchestrator.ports.plugin import PluginContext
from orchestrator.ports.session_ref import SessionRef
from orchestrator.ports.workspace import Made, Saved, Workspace, WorkspaceView
from orchestrator.testing.places import BubblewrapPlace, unavailable
from orchestrator.testing.workspaces import ENVIRONMENT, GitSetting
from plugins._shared.host_place import HostPlace
from plugins.workspace import clone, worktree


@dataclass
class World:
    """A session in a workspace, and its files as this host sees them."""

    setting: GitSetting
    workspace: Workspace
    session: SessionRef
    place: Place
    made: Made
    files: Path

    async def save(self) -> Saved:
        saved = await self.workspace.save(self.session, self.place)
        assert saved is not None
        return saved

    async def git(self, *args: str) -> str:
        return await self.setting.inside(self.session, self.made, "git", *args)

    async def mirror(self, *args: str) -> str:
        return await self.setting.run("git", f"--git-dir={self.setting.project.mirror}", *args)

    async def names(self, saved: Saved) -> set[str]:
        return set((await self.mirror("ls-tree", "-r", "--name-only", saved.commit)).splitlines())

    async def dirty(self) -> int:
        view = WorkspaceView(session=self.session, place=self.place)
        look = (await self.workspace.observe([view]))[self.session.id]
        assert isinstance(look, Seen), look
        return look.value.dirty


KINDS = [
    "worktree",
    "clone",
    pytest.param(
        "elsewhere",
        marks=[pytest.mark.slow, pytest.mark.skipif(bool(unavailable()), reason=unavailable())],
    ),
]


@pytest.fixture(params=KINDS)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    def far(session: SessionRef) -> Place:
        return BubblewrapPlace(tmp_path / "session", tmp_path / "inside", ENVIRONMENT)

    def near(session: SessionRef) -> Place:
        return HostPlace(session.folder, session.project.worktrees, ENVIRONMENT)

    setting = await GitSetting(tmp_path, far if request.param == "elsewhere" else near).begin()
    plugin = worktree.PLUGIN if request.param == "worktree" else clone.PLUGIN
    workspace = plugin.create(plugin.options(), PluginContext(home=tmp_path, data=str))
    session = setting.session()
    made = await workspace.create(session, setting.place(session), setting.base)
    files = tmp_path / "inside" / session.id if request.param == "elsewhere" else Path(made.path)
    place = setting.place(session)
    return World(setting, workspace, replace(session, workspace=made.path), place, made, files)


async def test_odd_names_links_and_empty_files_are_in_it(world: World) -> None:
    (world.files / "line\nbreak").write_text("1")
    (world.files / "-dash").write_text("1")
    (world.files / ":(top)magic").write_text("1")
    (world.files / "empty").touch()
    (world.files / "link").symlink_to("../outside")
    (world.files / "folder-link").symlink_to("/etc")
    os.mkfifo(world.files / "fifo")
    saved = await world.save()
    assert saved.files == 6
    listed = await world.mirror("ls-tree", "-r", "-z", saved.commit)
    assert "\tline\nbreak" in listed
    assert "120000 blob" in next(row for row in listed.split("\0") if row.endswith("\tfolder-link"))
    assert await world.mirror("cat-file", "-p", f"{saved.commit}:link") == "../outside"
    await world.workspace.remove(world.session, world.place)


async def test_staged_work_is_in_it_also_when_it_is_ignored(world: World) -> None:
    (world.files / "staged.txt").write_text("staged")
    (world.files / "ignored.txt").write_text("forced")
    (world.files / "README.md").write_text("staged too")
    await world.git("add", "--force", "staged.txt", "ignored.txt", "README.md")
    await world.git("rm", "--quiet", "--cached", "src/hello.py")
    saved = await world.save()
    assert await world.names(saved) >= {"staged.txt", "ignored.txt", "src/hello.py"}
    assert await world.mirror("cat-file", "-p", f"{saved.commit}:ignored.txt") == "forced"
    await world.mirror("fsck", "--strict", "--no-dangling")


async def test_what_git_was_told_not_to_look_at_is_in_it(world: World) -> None:
    await world.git("update-index", "--assume-unchanged", "README.md")
    await world.git("update-index", "--skip-worktree", "src/hello.py")
    (world.files / "README.md").write_text("hidden")
    (world.files / "src" / "hello.py").write_text("hidden too")
    saved = await world.save()
    assert saved.files == 2


async def test_a_sparse_checkout_is_not_taken_for_deleted_files(world: World) -> None:
    await world.git("sparse-checkout", "set", "--no-cone", "/README.md")
    assert not (world.files / "src" / "hello.py").exists()
    assert await world.dirty() == 0
    assert await world.workspace.save(world.session, world.place) is None


async def test_a_merge_in_progress_is_in_it_as_it_lies_there(world: World) -> None:
    (world.files / "README.md").write_text("ours\n")
    await world.git("commit", "--quiet", "--all", "--message=ours")
    await world.git("checkout", "--quiet", "-b", "other", "HEAD~1")
    (world.files / "README.md").write_text("theirs\n")
    await world.git("commit", "--quiet", "--all", "--message=theirs")
    await world.setting.inside(world.session, world.made, "git", "merge", world.session.branch, check=False)
    saved = await world.save()
    assert "<<<<<<<" in await world.mirror("cat-file", "-p", f"{saved.commit}:README.md")
    assert saved.commits >= 1


async def test_nested_repositories_are_kept_with_their_commits(world: World) -> None:
    nested = world.files / "vendor" / "lib"
    (nested / "deep").mkdir(parents=True)
    inside = f"{world.made.path}/vendor/lib"
    await world.git("init", "--quiet", inside)
    (nested / "code.c").write_text("one")
    await world.git("-C", inside, "add", "code.c")
    await world.git("-C", inside, "commit", "--quiet", "--message=inner")
    commit = await world.git("-C", inside, "rev-parse", "HEAD")
    await world.git("init", "--quiet", f"{inside}/deep")
    (nested / "deep" / "unborn.txt").write_text("never committed")
    saved = await world.save()
    assert any("vendor/lib is a repository of its own" in note for note in saved.notes)
    kept = (await world.mirror("rev-parse", f"{saved.commit}:vendor/lib")).strip()
    assert await world.mirror("merge-base", "--is-ancestor", commit, kept) == ""
    deep = await world.mirror("rev-parse", f"{kept}:deep")
    assert await world.mirror("cat-file", "-p", f"{deep}:unborn.txt") == "never committed"
    assert await world.mirror("merge-base", "--is-ancestor", deep, saved.commit) == ""
    await world.workspace.remove(world.session, world.place)


async def test_a_submodule_is_work_only_where_it_differs_from_the_base(world: World) -> None:
    source = f"{world.place.workspaces}/library"
    await world.git("init", "--quiet", source)
    await world.git("-C", source, "commit", "--quiet", "--allow-empty", "--message=library")
    await world.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", source, "lib")
    await world.git("commit", "--quiet", "--all", "--message=with a library")
    assert any("lib is a repository" in note for note in (await world.save()).notes)

    head = await world.git("rev-parse", "HEAD")
    await world.mirror("update-ref", "refs/ao/base/main", head)
    assert await world.workspace.save(world.session, world.place) is None
    assert await world.dirty() == 0

    (world.files / "lib" / "new.c").write_text("new")
    saved = await world.save()
    inner = await world.mirror("rev-parse", f"{saved.commit}:lib")
    assert await world.mirror("cat-file", "-p", f"{inner}:new.c") == "new"
    (world.files / "lib" / "new.c").unlink()
    await world.git("submodule", "--quiet", "deinit", "--force", "lib")
    assert await world.workspace.save(world.session, world.place) is None


async def test_a_nested_repository_that_cannot_be_read_raises(world: World) -> None:
    await world.git("init", "--quiet", f"{world.made.path}/nested")
    (world.files / "nested" / "file").write_text("1")
    (world.files / "nested" / ".git" / "config").write_text("[broken\n")
    with pytest.raises(PermanentError):
        await world.workspace.save(world.session, world.place)


async def test_a_detached_head_and_a_branch_without_commits_are_kept(world: World) -> None:
    await world.git("checkout", "--quiet", "--detach")
    (world.files / "README.md").write_text("detached\n")
    await world.git("commit", "--quiet", "--all", "--message=detached")
    head = await world.git("rev-parse", "HEAD")
    saved = await world.save()
    assert saved.commits == 1
    assert await world.mirror("rev-parse", f"{saved.commit}^1") == head
    await world.git("checkout", "--quiet", "--orphan", "fresh")
    again = await world.save()
    assert await world.names(again) >= {"README.md"}


async def test_an_index_that_cannot_be_read_is_done_without(world: World) -> None:
    index = Path(await world.git("rev-parse", "--path-format=absolute", "--git-path", "index"))
    host = world.files / ".git" / "index" if str(index).startswith("/inside") else index
    host.write_bytes(b"damaged")
    (world.files / "README.md").write_text("changed\n")
    assert await world.dirty() == 1
    assert (await world.save()).files == 1


async def test_an_index_larger_than_any_is_refused_and_not_read(world: World) -> None:
    """Only the session writes it: a file full of holes costs it nothing, and would take all our memory."""
    index = Path(await world.git("rev-parse", "--path-format=absolute", "--git-path", "index"))
    host = world.files / ".git" / "index" if str(index).startswith("/inside") else index
    (world.files / "README.md").write_text("changed\n")
    size = host.stat().st_size
    os.truncate(host, 3_000_000_000)
    with pytest.raises(PermanentError, match="3000000000 bytes"):
        await world.workspace.save(world.session, world.place)
    view = WorkspaceView(session=world.session, place=world.place)
    look = (await world.workspace.observe([view]))[world.session.id]
    assert isinstance(look, Unseen)
    assert "3000000000 bytes" in look.reason
    os.truncate(host, size)
    assert await world.dirty() == 1
    assert (await world.save()).files == 1


async def test_a_lock_left_in_the_session_is_no_hindrance(world: World) -> None:
    index = Path(await world.git("rev-parse", "--path-format=absolute", "--git-path", "index.lock"))
    host = world.files / ".git" / "index.lock" if str(index).startswith("/inside") else index
    host.touch()
    (world.files / "README.md").write_text("changed\n")
    assert (await world.save()).files == 1


async def test_what_cannot_be_read_raises_and_nothing_is_removed(world: World) -> None:
    here = os.open(world.files, os.O_DIRECTORY)
    name = "d" * 250
    for _ in range(20):  # deeper than any path that git can open
        os.mkdir(name, dir_fd=here)
        inner = os.open(name, os.O_DIRECTORY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)
    with pytest.raises(PermanentError, match="cannot be read"):
        await world.workspace.save(world.session, world.place)
    with pytest.raises(PermanentError, match="cannot be read"):
        await world.workspace.remove(world.session, world.place)
    assert (world.files / "README.md").exists()


async def test_a_link_in_place_of_the_workspace_is_not_followed(world: World, tmp_path: Path) -> None:
    secret = tmp_path / "elsewhere"
    secret.mkdir()
    (secret / "token").write_text("secret")
    world.files.rename(world.files.with_name("moved"))
    world.files.symlink_to(secret)
    with pytest.raises(PermanentError, match="link"):
        await world.workspace.save(world.session, world.place)
