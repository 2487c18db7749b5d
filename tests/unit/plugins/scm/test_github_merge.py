"""Merging on GitHub: at the head that was shown, once, by what the repository allows, in words when refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.demo.github.checks import Report
from bot.demo.github.model_rules import Protection, Ruleset
from orchestrator.domain.pull_request import PullRequestState
from orchestrator.errors import Conflict, NotAllowed, PermanentError
from orchestrator.ports.scm import Credential, Merged, Queued
from orchestrator.testing.contracts.scm import publish
from tests.contracts.github_bench import REPO, US, GitHubBench

pytestmark = pytest.mark.git


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[GitHubBench]:
    async with GitHubBench(tmp_path) as bench:
        yield bench
    assert bench.github.control.unknown == []


async def test_merge_that_a_crash_hid_is_named_again_and_not_made_twice(bench: GitHubBench) -> None:
    session, head = await bench.opened()
    await bench.after_crash("merge-done", bench.scm.merge(session, head, "squash"))
    merged = await bench.scm.merge(session, head, "squash")
    assert merged == Merged(commit=await bench.github.control.head(REPO, "main"), base="main")


async def test_squashed_commit_has_the_title_that_was_shown_and_the_number(bench: GitHubBench) -> None:
    session, head = await bench.opened()
    await bench.scm.merge(session, head, "squash", "Add a file")
    place = bench.github.world.repository(REPO).path
    assert bench.git(place, "log", "-1", "--format=%s", "main") == "Add a file (#1)"


async def test_method_that_the_repository_does_not_allow_makes_way_for_one_that_it_does(
    bench: GitHubBench,
) -> None:
    merging = bench.github.world.repository(REPO).merging
    merging.squash = merging.merge = False
    session, head = await bench.opened()
    merged = await bench.scm.merge(session, head, "squash")
    assert isinstance(merged, Merged)
    assert bench.pulls()[0].merge_sha == merged.commit


async def test_method_that_only_a_ruleset_forbids_makes_way_too(bench: GitHubBench) -> None:
    bench.github.control.ruleset(
        REPO,
        Ruleset(id=1, name="linear", branches=["main"], rules=Protection(), methods=["rebase"]),
    )
    session, head = await bench.opened()
    assert isinstance(await bench.scm.merge(session, head, "squash"), Merged)


async def test_protection_that_was_added_meanwhile_is_told_in_githubs_words(bench: GitHubBench) -> None:
    session, head = await bench.opened()
    bench.github.control.protect(REPO, "main", Protection(checks=["build"], admins=True))
    with pytest.raises(PermanentError, match='Required status check "build" is expected'):
        await bench.scm.merge(session, head, "squash")
    bench.github.control.protect(REPO, "main", Protection(approvals=1, admins=True))
    with pytest.raises(PermanentError, match="approving review"):
        await bench.scm.merge(session, head, "squash")
    assert bench.pulls()[0].is_open


async def test_head_that_was_pushed_from_elsewhere_is_not_merged(bench: GitHubBench) -> None:
    session, head = await bench.opened()
    await bench.push_from_elsewhere(session)
    with pytest.raises(Conflict, match=r"#1 is at .* not at"):
        await bench.scm.merge(session, head, "squash")
    assert bench.pulls()[0].is_open


async def test_pull_request_that_somebody_merged_on_github_is_named(bench: GitHubBench) -> None:
    session, head = await bench.opened()
    elsewhere = bench.make()
    merged = await elsewhere.merge(session, head, "merge")
    assert await bench.scm.merge(session, head, "squash") == merged


async def test_closed_and_reopened_pull_request_is_the_same(bench: GitHubBench) -> None:
    session, head = await bench.opened()
    await bench.github.control.close(REPO, 1, by="ana")
    with pytest.raises(PermanentError, match="closed"):
        await bench.scm.merge(session, head, "squash")
    await bench.github.control.reopen(REPO, 1, by="ana")
    assert isinstance(await bench.scm.merge(session, head, "squash"), Merged)


async def test_force_pushed_head_is_merged_only_where_it_is_meant(bench: GitHubBench) -> None:
    session, head = await bench.opened()
    forced = await bench.github.control.push(
        REPO, session.branch, {"evil": "x"}, parent=bench.pulls()[0].base_sha
    )
    with pytest.raises(Conflict):
        await bench.scm.merge(session, head, "squash")
    assert isinstance(await bench.scm.merge(session, forced, "squash"), Merged)


async def test_repository_that_was_renamed_is_followed(bench: GitHubBench) -> None:
    session, _ = await bench.opened()
    bench.github.control.rename(REPO, "acme/renamed")
    head = await bench.commit(session, "more")
    moved = await publish(bench, session, head, title="After the move")
    assert moved is not None
    assert (moved.head, moved.title) == (head, "After the move")
    merged = await bench.scm.merge(session, head, "squash")
    assert merged == Merged(commit=await bench.github.control.head("acme/renamed", "main"), base="main")


async def test_rights_are_those_of_the_person_who_merges(bench: GitHubBench) -> None:
    session, head = await bench.opened()
    control = bench.github.control
    control.user("eve")
    eve = Credential(login="eve", token=control.token("eve"))
    with pytest.raises(NotAllowed, match="not merged"):
        await bench.scm.merge(session, head, "squash", as_=eve)
    await bench.scm.merge(session, head, "squash", as_=bench.people["ana"])
    by = bench.pulls()[0].merged_by
    assert by is not None
    assert by.login == "ana"


# The merge queue and auto-merge -----------------------------------------------------------------------


async def test_where_there_is_a_merge_queue_it_is_queued_once_and_said(bench: GitHubBench) -> None:
    session, head = await bench.opened()
    bench.github.control.protect(REPO, "main", Protection(merge_queue=True, admins=True))
    queued = Queued(words="in the merge queue of main, place 1")
    assert await bench.scm.merge(session, head, "squash") == queued
    assert await bench.scm.merge(session, head, "squash") == queued
    await bench.github.control.advance_queue(REPO)
    merged = await bench.scm.merge(session, head, "squash")
    assert merged == Merged(commit=await bench.github.control.head(REPO, "main"), base="main")


async def test_what_a_crash_left_in_the_queue_is_found_there(bench: GitHubBench) -> None:
    session, head = await bench.opened()
    bench.github.control.protect(REPO, "main", Protection(merge_queue=True, admins=True))
    await bench.after_crash("merge-queued", bench.scm.merge(session, head, "squash"))
    assert isinstance(await bench.scm.merge(session, head, "squash"), Queued)
    await bench.scm.leave_queue(session)
    await bench.scm.leave_queue(session)
    assert not bench.pulls()[0].is_queued


async def test_auto_merge_is_used_only_where_it_was_asked_for(bench: GitHubBench) -> None:
    session, head = await bench.opened()
    bench.github.world.repository(REPO).merging.auto = True
    bench.github.control.protect(REPO, "main", Protection(checks=["build"], admins=True))
    with pytest.raises(PermanentError):
        await bench.scm.merge(session, head, "squash")
    bench.scm = bench.make(autoMerge=True)
    queued = await bench.scm.merge(session, head, "squash")
    assert isinstance(queued, Queued)
    assert "build" in queued.words
    await bench.github.control.check(REPO, 1, Report(name="build", conclusion="success"))
    assert bench.pulls()[0].merged_at is not None


async def test_auto_merge_is_taken_back(bench: GitHubBench) -> None:
    session, head = await bench.opened()
    bench.github.world.repository(REPO).merging.auto = True
    bench.github.control.protect(REPO, "main", Protection(checks=["build"], admins=True))
    bench.scm = bench.make(autoMerge=True)
    await bench.scm.merge(session, head, "squash")
    await bench.scm.leave_queue(session)
    await bench.github.control.check(REPO, 1, Report(name="build", conclusion="success"))
    assert bench.pulls()[0].is_open


async def test_draft_is_made_ready_and_back(bench: GitHubBench) -> None:
    session = bench.session()
    head = await bench.commit(session)
    made = await publish(bench, session, head, draft=True)
    assert made is not None
    assert made.state is PullRequestState.DRAFT
    for draft in (False, False, True, True):
        await bench.scm.set_draft(session, draft=draft)
        assert bench.pulls()[0].draft is draft


async def test_base_is_brought_in_only_at_the_head_that_was_shown(bench: GitHubBench) -> None:
    session, head = await bench.opened()
    await bench.move_base("other", "1")
    with pytest.raises(Conflict):
        await bench.scm.update_branch(session, "a" * 40)
    await bench.scm.update_branch(session, head)
    after = bench.pulls()[0].head_sha
    place = bench.github.world.repository(REPO).path
    for older in (head, "main"):
        bench.git(place, "merge-base", "--is-ancestor", older, after)
    await bench.move_base("file", "theirs")
    with pytest.raises(Conflict, match="conflicts"):
        await bench.scm.update_branch(session, bench.pulls()[0].head_sha)


async def test_merge_of_somebody_without_the_right_to_write_says_so(bench: GitHubBench) -> None:
    session, head = await bench.opened()
    bench.scm = bench.make(
        token=bench.github.control.token(US, permissions={"contents": "read", "pull_requests": "write"})
    )
    with pytest.raises(NotAllowed):
        await bench.scm.merge(session, head, "squash")
