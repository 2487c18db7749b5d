"""Worktrees in a user's repository that is in use: crashes, many at once, branches, links, left-overs."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.domain.look import Seen, Unseen
from orchestrator.errors import BadInput, Conflict, NotReady, PermanentError
from orchestrator.ports.place import Completed
from orchestrator.ports.session_ref import SessionRef
from orchestrator.ports.workspace import Made, WorkspaceLook, WorkspaceView
from orchestrator.testing.fakes.place import FakePlace
from orchestrator.testing.workspaces import ENVIRONMENT, GitSetting
from plugins._shared import command
from plugins._shared.git import Git
from plugins._shared.host_place import HostPlace
from plugins.workspace.worktree import WorktreeOptions, WorktreeWorkspace

READING = {
    "rev-parse",
    "ls-files",
    "for-each-ref",
    "cat-file",
    "diff-tree",
    "diff-index",
    "rev-list",
    "log",
    "list",
}


class Crash(BaseException):
    """The process dies here."""


class Runner:
    """Runs commands, and dies before or after the `at`-th of those that write."""

    def __init__(self) -> None:
        self.count = 0
        self.at = -1
        self.after = False

    async def __call__(
        self,
        argv: Sequence[str],
        *,
        cwd: str,
        env: Mapping[str, str],
        stdin: bytes = b"",
        timeout: float = 60.0,
    ) -> Completed:
        writing = READING.isdisjoint(argv)
        self.count += writing
        if writing and self.count == self.at and not self.after:
            raise Crash
        done = await command.run(argv, cwd=cwd, env=env, stdin=stdin, timeout=timeout)
        if writing and self.count == self.at:
            raise Crash
        return done


class CrashingPlace(HostPlace):
    """The same for what runs in the place."""

    runner: Runner

    async def run(  # type: ignore[explicit-override]
        self,
        argv: Sequence[str],
        *,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        timeout: float = 60.0,
    ) -> Completed:
        whole = {**ENVIRONMENT, **(env or {})}
        return await self.runner(argv, cwd=cwd or self.folder, env=whole, stdin=stdin, timeout=timeout)


@pytest.fixture
async def setting(tmp_path: Path) -> GitSetting:
    return await GitSetting(
        tmp_path, lambda session: HostPlace(session.folder, session.project.worktrees, ENVIRONMENT)
    ).begin()


@pytest.fixture
def workspace() -> WorktreeWorkspace:
    return WorktreeWorkspace(WorktreeOptions())


async def make(
    workspace: WorktreeWorkspace, setting: GitSetting, number: int = 1, start: str = ""
) -> tuple[SessionRef, Made]:
    session = setting.session(number)
    made = await workspace.create(session, setting.place(session), setting.base, start)
    return replace(session, workspace=made.path), made


def gone(path: str) -> bool:
    return not Path(path).exists()


async def look(workspace: WorktreeWorkspace, setting: GitSetting, session: SessionRef) -> WorkspaceLook:
    seen = (await workspace.observe([WorkspaceView(session=session, place=setting.place(session))]))[
        session.id
    ]
    assert isinstance(seen, Seen), seen
    return seen.value


async def test_many_at_once_in_one_repository_all_succeed(
    workspace: WorktreeWorkspace, setting: GitSetting
) -> None:
    made = await asyncio.gather(*(make(workspace, setting, number) for number in range(1, 21)))
    assert len({one.path for _, one in made}) == 20
    assert {one.head for _, one in made} == {setting.base.sha}
    await asyncio.gather(*(workspace.remove(session, setting.place(session)) for session, _ in made))
    assert await setting.git("branch", "--format=%(refname:short)") == "main"
    assert (await setting.git("worktree", "list", "--porcelain")).count("worktree ") == 1
    assert await setting.git("config", "--get-regexp", "^(branch|core.bare$)") == "core.bare false"


async def _crashing(setting: GitSetting, tmp_path: Path) -> tuple[WorktreeWorkspace, Runner]:
    runner = Runner()
    workspace = WorktreeWorkspace(WorktreeOptions(), git=Git(Path("/"), runner=runner))

    def place(session: SessionRef) -> HostPlace:
        made = CrashingPlace(session.folder, session.project.worktrees, ENVIRONMENT)
        made.runner = runner
        session.folder.mkdir(parents=True, exist_ok=True)
        return made

    setting._make_place = place
    return workspace, runner


@pytest.mark.parametrize(
    "after", [pytest.param(False, marks=pytest.mark.slow), True], ids=["before", "after"]
)
async def test_making_and_removing_go_on_after_a_crash_at_any_command(
    *, after: bool, setting: GitSetting, tmp_path: Path
) -> None:
    setting.change(post_create=("echo once >> ignored.txt",))
    workspace, runner = await _crashing(setting, tmp_path)
    runner.after = after
    for number in range(1, 60):
        session = setting.session(number)
        runner.count, runner.at = 0, number
        try:
            await make(workspace, setting, number)
            await workspace.remove(session, setting.place(session))
            break
        except Crash:
            runner.at = -1
        removing = "removing" in _record(setting, session)
        if not removing:
            session, made = await make(workspace, setting, number)
            assert (made.head, made.branch) == (setting.base.sha, session.branch)
            assert (await look(workspace, setting, session)).dirty == 0
            assert await setting.read(session, made, "src/hello.py")
        await workspace.remove(session, setting.place(session))
        assert gone(f"{setting.place(session).workspaces}/{session.id}")
        assert await setting.git("branch", "--format=%(refname:short)") == "main"
    else:
        pytest.fail("never got through")
    assert number > 8, "hardly anything was crashed"
    assert (await setting.git("worktree", "list", "--porcelain")).count("worktree ") == 1


def _record(setting: GitSetting, session: SessionRef) -> str:
    path = setting.project.folder / "workspaces" / f"{session.id}.json"
    return path.read_text() if path.exists() else ""


async def test_the_users_checkout_may_be_dirty_and_detached_and_stays_so(
    workspace: WorktreeWorkspace, setting: GitSetting
) -> None:
    (setting.project.path / "README.md").write_text("the user works here\n")
    await setting.git("checkout", "--quiet", "--detach")
    before = await setting.git("status", "--porcelain", "--branch")
    session, made = await make(workspace, setting)
    assert await setting.read(session, made, "README.md") == "# Demo"
    await workspace.remove(session, setting.place(session))
    assert await setting.git("status", "--porcelain", "--branch") == before


async def test_a_branch_of_the_users_is_named_and_left_alone(
    workspace: WorktreeWorkspace, setting: GitSetting
) -> None:
    await setting.git("branch", "feat/demo-1")
    with pytest.raises(Conflict, match="feat/demo-1 exists already"):
        await make(workspace, setting)
    await workspace.remove(setting.session(), setting.place(setting.session()))
    assert await setting.git("branch", "--list", "feat/demo-1")
    second = setting.session(2, branch="feat/demo-1/deep")
    with pytest.raises(Conflict):
        await workspace.create(second, setting.place(second), setting.base)


async def test_a_branch_with_work_is_kept_and_still_this_sessions(
    workspace: WorktreeWorkspace, setting: GitSetting
) -> None:
    session, made = await make(workspace, setting)
    await setting.write(session, made, "new.txt", "new\n")
    head = await setting.commit(session, made)
    assert await workspace.save(session, setting.place(session))
    await workspace.remove(session, setting.place(session))
    assert await setting.git("rev-parse", session.branch) == head
    session, made = await make(workspace, setting)
    assert made.head == head
    await setting.git("update-ref", "refs/heads/main", head)
    await setting.fetch_base()
    await workspace.remove(session, setting.place(session))
    assert not await setting.git("branch", "--list", session.branch)


async def test_saved_work_never_drops_commits_that_came_to_the_branch_since(
    workspace: WorktreeWorkspace, setting: GitSetting
) -> None:
    session, made = await make(workspace, setting)
    await setting.write(session, made, "new.txt", "new\n")
    await setting.commit(session, made)
    await setting.write(session, made, "new.txt", "newer\n")
    saved = await workspace.save(session, setting.place(session))
    assert saved is not None
    await workspace.remove(session, setting.place(session))
    tree = await setting.git("rev-parse", f"{session.branch}^{{tree}}")
    later = await setting.git("commit-tree", "-p", session.branch, "-m", "later", tree)
    await setting.git("update-ref", f"refs/heads/{session.branch}", later)
    with pytest.raises(Conflict, match="does not have"):
        await make(workspace, setting, start=saved.commit)
    assert await setting.git("rev-parse", session.branch) == later


async def test_a_folder_that_an_agent_removed_is_seen_and_its_commits_are_saved(
    workspace: WorktreeWorkspace, setting: GitSetting
) -> None:
    session, made = await make(workspace, setting)
    await setting.write(session, made, "new.txt", "new\n")
    head = await setting.commit(session, made)
    shutil.rmtree(made.path)
    await setting.git("worktree", "prune")
    assert not (await look(workspace, setting, session)).exists
    saved = await workspace.save(session, setting.place(session))
    assert saved is not None
    assert (saved.files, saved.commits) == (0, 1)
    await workspace.remove(session, setting.place(session))
    assert (await make(workspace, setting))[1].head == head


async def test_it_is_locked_against_removal_by_agents(
    workspace: WorktreeWorkspace, setting: GitSetting
) -> None:
    _, made = await make(workspace, setting)
    with pytest.raises(AssertionError, match="locked"):
        await setting.git("worktree", "remove", "--force", made.path)
    assert "locked ao: session demo-1" in await setting.git("worktree", "list", "--porcelain")


async def test_the_last_session_leaves_no_ref_of_ours(
    workspace: WorktreeWorkspace, setting: GitSetting
) -> None:
    sessions = [(await make(workspace, setting, number))[0] for number in (1, 2)]
    await workspace.remove(sessions[0], setting.place(sessions[0]))
    assert "refs/ao/base/" in await setting.git("for-each-ref", "refs/ao")
    await workspace.remove(sessions[1], setting.place(sessions[1]))
    assert not await setting.git("for-each-ref", "refs/ao")


async def test_what_stands_in_the_way_is_set_aside(workspace: WorktreeWorkspace, setting: GitSetting) -> None:
    way = setting.project.worktrees / "demo-1"
    way.mkdir(parents=True)
    (way / "precious").write_text("mine")
    _, made = await make(workspace, setting)
    assert made.path == str(way)
    assert (setting.project.worktrees / "demo-1.set-aside-1" / "precious").read_text() == "mine"


async def test_a_worktree_that_we_did_not_make_is_a_conflict(
    workspace: WorktreeWorkspace, setting: GitSetting
) -> None:
    way = setting.project.worktrees / "demo-1"
    await setting.git("worktree", "add", "--quiet", "--detach", str(way))
    with pytest.raises(Conflict, match="did not make"):
        await make(workspace, setting)
    await setting.git("worktree", "lock", str(way))
    shutil.rmtree(way)
    assert (await make(workspace, setting))[1].path == str(way)


async def test_links_go_into_the_users_checkout_and_are_no_work(
    workspace: WorktreeWorkspace, setting: GitSetting
) -> None:
    user = setting.project.path
    (user / "node_modules" / "pkg").mkdir(parents=True)
    (user / "config").mkdir()
    (user / "config" / "local.env").write_text("KEY=1")
    setting.change(symlinks=("node_modules", "config/local.env", "README.md", "absent"))
    session, made = await make(workspace, setting)
    files = Path(made.path)
    assert (files / "node_modules").readlink() == user / "node_modules"
    assert (files / "config" / "local.env").read_text() == "KEY=1"
    assert (Path(setting.place(session).folder) / "set-aside" / "README.md.1").read_text() == "# Demo\n"
    assert (await look(workspace, setting, session)).dirty == 1, "README.md is tracked, and a link now"
    (files / "node_modules").unlink()
    (files / "node_modules").mkdir()
    (files / "node_modules" / "mine").write_text("work")
    assert (await look(workspace, setting, session)).dirty == 2
    assert await workspace.save(session, setting.place(session))
    await workspace.remove(session, setting.place(session))
    assert (user / "node_modules" / "pkg").is_dir()
    assert (user / "config" / "local.env").exists()


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "out", ".git/config"])
async def test_links_that_lead_out_are_refused(
    path: str, workspace: WorktreeWorkspace, setting: GitSetting, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    (setting.project.path / "out").symlink_to(tmp_path / "outside")
    setting.change(symlinks=(path,))
    with pytest.raises(BadInput, match="symlinks"):
        await make(workspace, setting)


async def test_a_command_that_hangs_is_ended(setting: GitSetting) -> None:
    workspace = WorktreeWorkspace(WorktreeOptions(post_create_timeout="0.2s"))
    setting.change(post_create=("sleep 100",))
    with pytest.raises(PermanentError, match=r"did not end within 0\.2 s"):
        await make(workspace, setting)


async def test_a_place_elsewhere_is_refused(workspace: WorktreeWorkspace, setting: GitSetting) -> None:
    with pytest.raises(NotReady, match="clone"):
        await workspace.create(setting.session(), FakePlace(), setting.base)


async def test_write_protected_folders_are_removed_too(
    workspace: WorktreeWorkspace, setting: GitSetting
) -> None:
    session, made = await make(workspace, setting)
    protected = Path(made.path) / "ignored.txt" / "cache"
    protected.mkdir(parents=True)
    (protected / "file").touch()
    protected.chmod(0o555)
    await workspace.remove(session, setting.place(session))
    assert gone(made.path)


async def test_a_root_of_ones_own(setting: GitSetting, tmp_path: Path) -> None:
    workspace = WorktreeWorkspace(WorktreeOptions(root=str(tmp_path / "trees" / "{project}")))
    session, made = await make(workspace, setting)
    assert made.path == str(tmp_path / "trees" / "demo" / "demo-1")
    assert (await look(workspace, setting, session)).exists
    await workspace.remove(session, setting.place(session))
    assert gone(made.path)


async def test_a_look_that_fails_says_why_and_spares_the_others(
    workspace: WorktreeWorkspace, setting: GitSetting
) -> None:
    good, bad = (await make(workspace, setting))[0], (await make(workspace, setting, 2))[0]
    (setting.project.folder / "workspaces" / "demo-2.json").write_text("{")
    views = [WorkspaceView(session=s, place=setting.place(s)) for s in (good, bad)]
    looks = await workspace.observe(views)
    assert isinstance(looks[good.id], Seen)
    seen = looks[bad.id]
    assert isinstance(seen, Unseen)
    assert "cannot be read" in seen.reason
