"""Merges on the local forge: each method's commits, and others who push meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from blockbuster import BlockBuster
from typing_extensions import override

from orchestrator.domain.pull_request import (
    PullRequestState,
)
from orchestrator.errors import BadInput, Conflict, PermanentError
from orchestrator.testing.contracts.scm import look, publish
from tests.contracts.local_forge_bench import LocalBench

pytestmark = pytest.mark.git


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[LocalBench]:
    made = LocalBench(tmp_path)
    yield made
    await made.aclose()


async def test_a_squash_keeps_the_author_and_names_the_pull_request(bench: LocalBench) -> None:
    session = bench.session()
    place = bench.workspace(session)
    bench.write(place, "a", "1\n")
    bench.git(place, "commit", "--amend", "--quiet", "--no-edit", "--author", "Ada <ada@example.org>")
    head = await bench.commit(session, "b")
    await publish(bench, session, head, title="Add two files")
    merged = await bench.local.merge(session, head, "squash", "Shown title")
    log = bench.git(bench.forge, "log", "-1", "--format=%an|%cn|%s|%p", merged.commit)
    base = bench.git(bench.user, "rev-parse", "--short", "HEAD")
    assert log == f"Ada|Agent Orchestrator|Shown title (#1)|{base}"
    assert bench.git(bench.forge, "ls-tree", "--name-only", merged.commit).split() == ["a", "b", "readme"]


async def test_a_merge_commit_has_both_parents(bench: LocalBench) -> None:
    session, head = await bench.opened()
    merged = await bench.local.merge(session, head, "merge")
    parents = bench.git(bench.forge, "log", "-1", "--format=%P", merged.commit).split()
    assert parents == [bench.git(bench.user, "rev-parse", "HEAD"), head]


async def test_a_rebase_brings_each_commit_with_its_author(bench: LocalBench) -> None:
    session = bench.session()
    place = bench.workspace(session)
    bench.write(place, "a", "1\n", "first\n\nwith words")
    bench.git(place, "commit", "--amend", "--quiet", "--no-edit", "--author", "Ada <ada@example.org>")
    head = bench.write(place, "b", "2\n", "second")
    await publish(bench, session, head)
    await bench.move_base("c", "3")
    merged = await bench.local.merge(session, head, "rebase")
    log = bench.git(bench.forge, "log", "-3", "--format=%an|%cn|%s|%b", merged.commit).splitlines()
    assert [line for line in log if line] == [
        "Tester|Agent Orchestrator|second|",
        "Ada|Agent Orchestrator|first|with words",
        "Tester|Tester|change|",
    ]


async def test_a_rebase_onto_an_unmoved_base_changes_no_commit(bench: LocalBench) -> None:
    session, head = await bench.opened()
    assert (await bench.local.merge(session, head, "rebase")).commit == head


async def test_merge_commits_are_not_rebased(bench: LocalBench) -> None:
    session = bench.session()
    place = bench.workspace(session)
    bench.write(place, "a", "1\n")
    bench.git(place, "checkout", "--quiet", "-b", "side", "main")
    bench.write(place, "b", "2\n")
    bench.git(place, "checkout", "--quiet", session.branch)
    bench.git(place, "merge", "--quiet", "--no-edit", "side")
    head = bench.git(place, "rev-parse", "HEAD")
    await publish(bench, session, head)
    with pytest.raises(PermanentError, match="merge commits"):
        await bench.local.merge(session, head, "rebase")
    await bench.local.merge(session, head, "merge")


async def test_an_unknown_method_is_refused(bench: LocalBench) -> None:
    session, head = await bench.opened()
    with pytest.raises(BadInput, match="merge, squash, rebase"):
        await bench.local.merge(session, head, "octopus")


async def test_a_base_that_moves_while_we_merge_is_merged_onto(
    tmp_path: Path, blockbuster: BlockBuster
) -> None:
    blockbuster.deactivate()  # the push of somebody else happens inside our call
    bench = MovingBench(tmp_path, moves=2)
    session, head = await bench.opened()
    merged = await bench.local.merge(session, head, "squash")
    assert bench.git(bench.forge, "ls-tree", "--name-only", merged.commit).split() == [
        "file",
        "moved-1",
        "moved-2",
        "readme",
    ]


async def test_a_head_that_moves_while_we_merge_is_not_merged(
    tmp_path: Path, blockbuster: BlockBuster
) -> None:
    blockbuster.deactivate()  # the push of somebody else happens inside our call
    bench = MovingBench(tmp_path, moves=1, branch="feat/issue-1")
    session, head = await bench.opened()
    base = bench.git(bench.forge, "rev-parse", "main")
    with pytest.raises(Conflict):
        await bench.local.merge(session, head, "squash")
    assert bench.git(bench.forge, "rev-parse", "main") == base


class MovingBench(LocalBench):
    """Somebody pushes between the moment a merge is made and the moment it would count."""

    def __init__(self, folder: Path, *, moves: int, branch: str = "main") -> None:
        self._left = moves
        self._moved = branch
        super().__init__(folder)

    @override
    def notice(self, boundary: str) -> None:
        if boundary == "merge-made" and self._left:
            name = f"moved-{self._left}"
            self._left -= 1
            self._push(self._moved, self._moved, name, "1")


async def test_the_users_commits_come_before_the_merge(bench: LocalBench) -> None:
    session, head = await bench.opened()
    bench.write(bench.user, "meanwhile", "1\n")
    await bench.local.merge(session, head, "squash")
    bench.git(bench.user, "pull", "--quiet", "--ff-only", str(bench.forge), "main")
    assert {path.name for path in bench.user.iterdir()} >= {"meanwhile", "file", "readme"}


async def test_what_the_user_merged_by_hand_is_merged(bench: LocalBench) -> None:
    session, head = await bench.opened()
    bench.git(bench.user, "pull", "--quiet", "--no-rebase", "--no-edit", str(bench.forge), session.branch)
    base = await bench.local.base(bench.project)
    seen = await look(bench, session)
    assert (seen.state, seen.merge_commit, seen.head) == (PullRequestState.MERGED, base.sha, head)
