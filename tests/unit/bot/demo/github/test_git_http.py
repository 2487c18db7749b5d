"""Real git against the fake GitHub: fetch and push over smart HTTP, by token, and what a pull request makes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.demo.github.model_rules import Protection
from bot.demo.github.server import FakeGitHub
from tests.unit.bot.demo.github.rig import REPO, acme, git, with_token

pytestmark = pytest.mark.git


@pytest.fixture
async def github(tmp_path: Path) -> AsyncIterator[FakeGitHub]:
    async with FakeGitHub(tmp_path / "github") as fake:
        await acme(fake)
        yield fake


async def _clone(github: FakeGitHub, folder: Path, token: str) -> Path:
    code, said = await git(folder, "clone", "-q", with_token(github.git_url(REPO), token), "work")
    assert code == 0, said
    return folder / "work"


async def _commit(work: Path, name: str, text: str) -> None:
    (work / name).write_text(text)
    await git(work, "add", ".")
    code, said = await git(work, "commit", "-q", "-m", name)
    assert code == 0, said


async def test_a_push_moves_the_pull_request(github: FakeGitHub, tmp_path: Path) -> None:
    work = await _clone(github, tmp_path, github.control.token("bo"))
    await git(work, "switch", "-qc", "feature")
    await _commit(work, "b.txt", "b\n")
    assert (await git(work, "push", "-q", "origin", "feature"))[0] == 0
    pull = await github.control.pull(REPO, "feature", by="bo")
    first = pull.head_sha
    await git(work, "commit", "-q", "--amend", "-m", "again")
    assert (await git(work, "push", "-qf", "origin", "feature"))[0] == 0
    assert pull.head_sha == (await git(work, "rev-parse", "HEAD"))[1].strip() != first
    assert [event.event for event in pull.issue.timeline] == ["head_ref_force_pushed"]
    code, said = await git(work, "fetch", "-q", "origin", "refs/pull/1/head")
    assert code == 0, said
    assert (await git(work, "push", "-q", "origin", ":feature"))[0] == 0
    assert pull.issue.state == "closed"


async def test_who_may_not_write_cannot_push_but_fetch(github: FakeGitHub, tmp_path: Path) -> None:
    work = await _clone(github, tmp_path, github.control.token("cy"))
    await _commit(work, "b.txt", "b\n")
    code, said = await git(work, "push", "-q", "origin", "HEAD:feature")
    assert code != 0
    assert "403" in said
    assert (await git(tmp_path, "ls-remote", github.git_url(REPO)))[0] == 0
    github.world.repository(REPO).private = True
    for token in (github.control.token("cy"), "ghp_wrong"):
        assert (await git(tmp_path, "ls-remote", with_token(github.git_url(REPO), token)))[0] != 0


async def test_a_protected_branch_takes_no_push_and_a_workflow_needs_its_scope(
    github: FakeGitHub, tmp_path: Path
) -> None:
    github.control.protect(REPO, "main", Protection(approvals=1))
    work = await _clone(github, tmp_path, github.control.token("bo"))
    await _commit(work, "b.txt", "b\n")
    code, said = await git(work, "push", "-q", "origin", "main")
    assert code != 0
    assert "GH006" in said
    (work / ".github" / "workflows").mkdir(parents=True)
    await _commit(work, ".github/workflows/ci.yml", "on: push\n")
    code, said = await git(work, "push", "-q", "origin", "HEAD:feature")
    assert code != 0
    assert "without `workflow` scope" in said
    strong = github.control.token("bo", scopes=("repo", "workflow"))
    code, said = await git(work, "push", "-q", with_token(github.git_url(REPO), strong), "HEAD:feature")
    assert code == 0, said


async def test_a_renamed_repository_is_still_fetched(github: FakeGitHub, tmp_path: Path) -> None:
    work = await _clone(github, tmp_path, github.control.token("bo"))
    github.control.rename(REPO, "acme/other")
    code, said = await git(work, "fetch", "origin")
    assert code == 0, said
