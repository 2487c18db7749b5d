"""Repositories in a state that nobody planned for: what the person has is never touched, and it is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.demo.evidence import Repository
from tests.integration.faults.house import WAITS, House, git, make_repository

pytestmark = [pytest.mark.tmux, pytest.mark.git, pytest.mark.timeout(120)]

KINDS = ("plain", "empty", "detached", "dirty", "absent", "bare_folder")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One server over a repository of each kind; `demo` is a plain one."""
    folder = tmp_path_factory.mktemp("repositories")
    made = House(folder)
    text = made.config.read_text()
    for kind in KINDS:
        path = folder / kind
        if kind == "empty":
            (path / "issues").mkdir(parents=True)
            (path / "issues" / "1.md").write_text("---\ntitle: First\nstate: open\n---\nDo it.\n")
            git(path, "init", "--quiet", "--initial-branch=main")
        elif kind == "bare_folder":
            (path / "issues").mkdir(parents=True)
            (path / "issues" / "1.md").write_text("---\ntitle: First\nstate: open\n---\nDo it.\n")
        elif kind != "absent":
            make_repository(path, dict.fromkeys(range(1, 6), WAITS))
        text += f"  {kind}:\n    path: {path}\n    sessionPrefix: {kind[:4]}\n    agent: rehearsal\n"
    text += f"  never:\n    path: {folder / 'plain'}\n    sessionPrefix: never\n    agent: rehearsal\n"
    text += "    defaultBranch: nowhere\n"
    made.write_config(text)
    try:
        yield made.start()
    finally:
        made.close()


def spawned(house: House, project: str, issue: int, **more: object) -> str:
    return str(house.act("spawn", project=project, issue=str(issue), **more)["data"]["id"])


def branch_of(house: House, name: str) -> str:
    return str(house.session(name)["branch"])


def gone(house: House, name: str) -> None:
    if name in house.sessions():
        house.act("kill", session=name)
    house.until(f"{name} is gone", lambda: name not in house.sessions())


@pytest.mark.slow
def test_a_branch_of_the_persons_own_is_left_alone(house: House) -> None:
    repository = house.config.parent / "plain"
    first = spawned(house, "plain", 1)
    house.until_status(first, "idle")
    branch = branch_of(house, first)
    gone(house, first)
    git(repository, "branch", branch, "main")
    git(repository, "worktree", "add", "--quiet", str(repository.parent / "mine"), branch)
    (repository.parent / "mine" / "work.txt").write_text("mine\n")
    before = Repository(repository).commit(branch)
    done = house.ao("spawn", "plain", "1")
    assert done.returncode != 0
    assert all(words in done.stderr for words in (branch, "exists already", "another branch"))
    third = spawned(house, "plain", 1, branch="feat/elsewhere", again=True)
    house.until_status(third, "idle")
    gone(house, third)
    assert Repository(repository).commit(branch) == before
    assert (repository.parent / "mine" / "work.txt").read_text() == "mine\n"


@pytest.mark.slow
def test_a_branch_that_an_earlier_session_left_is_not_written_over(house: House) -> None:
    """It has work on it, so it stayed when the session ended; who spawns again is told, and may restore it."""
    repository = Repository(house.config.parent / "plain")
    first = spawned(house, "plain", 2)
    house.until_status(first, "idle")
    branch = branch_of(house, first)
    workspace = Path(str(house.session(first)["workspace"]))
    (workspace / "work.txt").write_text("of the first\n")
    git(workspace, "add", "--all")
    git(workspace, "commit", "--quiet", "--message=Of the first")
    head = repository.commit(branch)
    gone(house, first)
    assert repository.commit(branch) == head
    said = house.refused(4, "spawn", "plain", "2")
    assert f"{first} has ended and left work on issue 2" in said
    assert f"ao restore {first}" in said
    second = spawned(house, "plain", 2, again=True)
    assert house.until_status(second, "idle")["branch"] != branch
    assert repository.commit(branch) == head
    gone(house, second)
    house.act("restore", session=first)
    house.until_status(first, "idle")
    assert (Path(str(house.session(first)["workspace"])) / "work.txt").read_text() == "of the first\n"
    gone(house, first)
    assert repository.commit(branch) == head


def test_a_repository_without_commits(house: House) -> None:
    done = house.ao("spawn", "empty", "1")
    assert done.returncode != 0
    assert "has no commits yet" in done.stderr
    assert "Make a first commit" in done.stderr
    assert all(s["project"] != "empty" for s in house.sessions().values())
    assert not (house.config.parent / "empty" / ".git" / "refs" / "heads" / "main").exists()


def test_a_detached_head_stays_where_it_is(house: House) -> None:
    repository = house.config.parent / "detached"
    git(repository, "checkout", "--quiet", "--detach")
    before = git(repository, "rev-parse", "HEAD")
    name = spawned(house, "detached", 1)
    house.until_status(name, "idle")
    gone(house, name)
    assert git(repository, "rev-parse", "--abbrev-ref", "HEAD") == "HEAD"
    assert git(repository, "rev-parse", "HEAD") == before


def test_a_dirty_main_worktree_is_not_touched(house: House) -> None:
    repository = house.config.parent / "dirty"
    (repository / "README.md").write_text("half written\n")
    (repository / "new.txt").write_text("new\n")
    (repository / "staged.txt").write_text("staged\n")
    git(repository, "add", "staged.txt")
    before = git(repository, "status", "--porcelain", "--", ".", ":!issues")
    name = spawned(house, "dirty", 1)
    workspace = Path(str(house.until_status(name, "idle")["workspace"]))
    assert (workspace / "README.md").read_text() == "# small\n"
    gone(house, name)
    assert git(repository, "status", "--porcelain", "--", ".", ":!issues") == before
    assert (repository / "README.md").read_text() == "half written\n"


@pytest.mark.slow
def test_a_base_branch_that_is_gone(house: House) -> None:
    """The forge's own copy of it is used, and that is told."""
    repository = house.config.parent / "plain"
    first = spawned(house, "plain", 3)
    house.until_status(first, "idle")
    gone(house, first)
    git(repository, "checkout", "--quiet", "-b", "elsewhere")
    git(repository, "branch", "--quiet", "--move", "main", "renamed")
    try:
        name = spawned(house, "plain", 4)
        house.until_status(name, "idle")
        assert "main" in str(house.until_event("base.note", name)["text"])
        gone(house, name)
    finally:
        git(repository, "branch", "--quiet", "--move", "renamed", "main")
        git(repository, "checkout", "--quiet", "main")


def test_a_base_branch_that_never_was(house: House) -> None:
    repository = house.config.parent / "plain"
    done = house.ao("spawn", "never", "1")
    assert done.returncode != 0
    assert f"The branch nowhere is gone: neither {repository} nor the forge has it" in done.stderr
    assert "`defaultBranch` of never" in done.stderr
    assert all(s["project"] != "never" for s in house.sessions().values())


@pytest.mark.parametrize("kind", ["absent", "bare_folder"])
def test_a_folder_that_is_no_repository(house: House, kind: str) -> None:
    done = house.ao("spawn", kind, "1")
    assert done.returncode != 0
    assert str(house.config.parent / kind) in done.stderr
    if kind == "bare_folder":
        assert "is no git repository" in done.stderr
    assert all(s["project"] != kind for s in house.sessions().values())
