"""Publishing to GitHub: only the session's own, never over others' commits, and again after every crash."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from orchestrator.domain.ids import SessionId
from orchestrator.domain.look import Seen
from orchestrator.domain.pull_request import PullRequestState
from orchestrator.errors import (
    AoError,
    Conflict,
    NotAllowed,
    NotFound,
    PermanentError,
    SignedOut,
    TemporaryError,
)
from orchestrator.ports.scm import Publication
from orchestrator.ports.session_ref import SessionRef
from orchestrator.testing.contracts.scm import on_branch, publish
from plugins._shared.mirror import Mirror, outgoing
from tests.contracts.github_bench import REPO, US, GitHubBench

pytestmark = pytest.mark.git


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[GitHubBench]:
    async with GitHubBench(tmp_path) as bench:
        yield bench
    assert bench.github.control.unknown == []


async def told(bench: GitHubBench, session: SessionRef, head: str, title: str, body: str) -> None:
    """Publish with words."""
    await bench.scm.publish(
        Publication(
            session=session, source=bench.source(session), head=head, base="main", title=title, body=body
        )
    )


async def test_text_of_a_pull_request_holds_the_mark_that_nobody_sees_and_keeps_it_when_reworded(
    bench: GitHubBench,
) -> None:
    session = bench.session()
    head = await bench.commit(session)
    await told(bench, session, head, "One", "What it does.")
    await told(bench, session, head, "Two", "What it does now.\r\n")
    pull = bench.pulls()[0]
    assert pull.issue.title == "Two"
    assert pull.issue.body == "What it does now.\n\n<!-- ao session: demo-1 of ao-test -->"


@pytest.mark.parametrize("boundary", ["publish-pushed", "publish-opened"])
async def test_what_a_crash_cut_off_is_carried_on_to_one_pull_request(
    bench: GitHubBench, boundary: str
) -> None:
    session = bench.session()
    head = await bench.commit(session)
    await bench.after_crash(boundary, publish(bench, session, head))
    made = await publish(bench, session, head)
    assert made is not None
    assert [pull.number for pull in bench.pulls()] == [made.number]
    looked = (await bench.scm.observe([session]))[session.id]
    assert isinstance(looked, Seen)
    assert looked.value is not None
    assert looked.value.number == made.number


async def test_what_was_pushed_before_a_crash_is_ours_to_rewrite(bench: GitHubBench) -> None:
    session = bench.session()
    await publish(bench, session, await bench.commit(session))
    mirror = Mirror(bench.project.mirror)
    before = (await mirror.refs(outgoing(session.id)))[outgoing(session.id)]
    pushed = await bench.rewrite(session)
    await publish(bench, session, pushed)
    # As if the process had ended between the push and the note of it.
    await mirror.update_refs(
        {outgoing(session.id): (before, None), f"refs/ao/pushing/{session.id}": (pushed, None)}
    )
    again = await bench.rewrite(session)
    moved = await publish(bench, session, again)
    assert moved is not None
    assert await bench.github.control.head(REPO, session.branch) == again


async def test_commits_that_the_session_has_fetched_are_no_obstacle(bench: GitHubBench) -> None:
    session = bench.session()
    await publish(bench, session, await bench.commit(session))
    theirs = await bench.push_from_elsewhere(session)
    place = bench.workspace(session)
    bench.git(place, "fetch", "--quiet", str(bench.github.world.repository(REPO).path), session.branch)
    bench.git(place, "merge", "--quiet", "--ff-only", theirs)
    head = await bench.commit(session, "more")
    moved = await publish(bench, session, head)
    assert moved is not None
    assert moved.head == head


async def test_base_that_github_merged_in_is_no_work_of_others(bench: GitHubBench) -> None:
    session, head = await bench.opened()
    for number in (1, 2):
        await bench.move_base(f"other{number}", "1")
        await bench.scm.update_branch(session, bench.pulls()[0].head_sha)
    moved = await publish(bench, session, await bench.commit(session, "more"))
    assert moved is not None
    assert bench.pulls()[0].head_sha == moved.head
    assert head != moved.head


async def test_work_of_others_on_top_of_a_merged_base_is_theirs(bench: GitHubBench) -> None:
    session, head = await bench.opened()
    await bench.move_base("other", "1")
    await bench.scm.update_branch(session, head)
    theirs = await bench.push_from_elsewhere(session)
    with pytest.raises(Conflict):
        await publish(bench, session, await bench.commit(session, "more"))
    assert await bench.github.control.head(REPO, session.branch) == theirs


async def test_pull_request_of_a_stranger_on_the_branch_is_left_alone_and_claim_is_named(
    bench: GitHubBench,
) -> None:
    session = bench.session()
    theirs = await bench.push_from_elsewhere(session)
    pull = await bench.github.control.pull(REPO, session.branch, by="ben")
    with pytest.raises(Conflict, match="by ben") as refused:
        await publish(bench, session, await bench.commit(session))
    assert f"ao claim demo {pull.number}" in refused.value.next_step
    assert pull.head_sha == theirs
    assert await bench.scm.observe([session]) == {session.id: Seen(None)}


async def test_claimed_pull_request_keeps_its_words_and_gets_the_mark_once_it_is_reworded(
    bench: GitHubBench,
) -> None:
    session = bench.session()
    await bench.push_from_elsewhere(session)
    pull = await bench.github.control.pull(REPO, session.branch, by="ben", body="By hand.")
    brought = await bench.scm.bring(bench.project, pull.number)
    await bench.scm.claim(session, pull.number, brought)
    assert pull.issue.body == "By hand."
    place = bench.workspace(session)
    bench.git(place, "fetch", "--quiet", str(bench.github.world.repository(REPO).path), session.branch)
    bench.git(place, "reset", "--quiet", "--hard", brought)
    moved = await publish(bench, session, await bench.commit(session, "more"), title="Taken over")
    assert moved is not None
    assert (moved.number, moved.title) == (pull.number, "Taken over")
    assert pull.issue.body == "By hand.\n\n<!-- ao session: demo-1 of ao-test -->"


async def test_pull_request_of_another_session_on_the_branch_is_not_taken(bench: GitHubBench) -> None:
    one, two = bench.session(1), bench.session(2)
    head = await bench.commit(one)
    await publish(bench, one, head)
    with pytest.raises(Conflict, match="demo-1"):
        await bench.scm.publish(
            Publication(session=on_branch(two, one.branch), source=bench.source(one), head=head, base="main")
        )


async def test_same_branch_in_a_fork_is_somebody_elses(bench: GitHubBench) -> None:
    session = bench.session()
    await bench.github.control.fork(REPO, "eve")
    await bench.github.control.push("eve/demo", session.branch, {"evil": "x\n"}, by="eve")
    forged = "<!-- ao session: demo-1 of ao-test -->"
    theirs = await bench.github.control.pull(
        REPO, session.branch, by="eve", head_repo="eve/demo", body=forged
    )
    assert await bench.scm.observe([session]) == {session.id: Seen(None)}
    made = await publish(bench, session, await bench.commit(session))
    assert made is not None
    assert made.number != theirs.number
    with pytest.raises(Conflict, match="fork"):
        await bench.scm.bring(bench.project, theirs.number)


async def test_mark_of_another_home_is_a_strangers(bench: GitHubBench) -> None:
    session = bench.session()
    await bench.push_from_elsewhere(session)
    await bench.github.control.pull(
        REPO, session.branch, by=US, body="<!-- ao session: demo-1 of ao-elsewhere -->"
    )
    with pytest.raises(Conflict):
        await publish(bench, session, await bench.commit(session))


async def test_mark_that_somebody_copied_into_their_own_text_hands_nothing_over(bench: GitHubBench) -> None:
    session = bench.session()
    theirs = await bench.push_from_elsewhere(session)
    copied = "<!-- ao session: demo-1 of ao-test -->"
    await bench.github.control.pull(REPO, session.branch, by="ben", body=copied)
    with pytest.raises(Conflict, match="by ben"):
        await publish(bench, session, await bench.commit(session))
    assert await bench.github.control.head(REPO, session.branch) == theirs


async def test_retargeted_pull_request_stays_where_people_put_it(bench: GitHubBench) -> None:
    session = bench.session()
    await publish(bench, session, await bench.commit(session))
    await bench.github.control.push(REPO, "release", {"r": "1\n"})
    await bench.github.control.retarget(REPO, 1, "release", by="ana")
    moved = await publish(bench, session, await bench.commit(session, "more"), title="New words")
    assert moved is not None
    assert (moved.base, moved.title) == ("release", "New words")


async def test_closed_pull_request_whose_branch_was_rewritten_makes_way_for_a_new_one(
    bench: GitHubBench,
) -> None:
    session = bench.session()
    one = await publish(bench, session, await bench.commit(session))
    await bench.scm.close(session, delete_branch=False)
    two = await publish(bench, session, await bench.rewrite(session))
    assert one is not None
    assert two is not None
    assert two.state is PullRequestState.OPEN
    assert two.head == await bench.github.control.head(REPO, session.branch)


async def test_branch_that_others_moved_on_is_not_deleted(bench: GitHubBench) -> None:
    session = bench.session()
    await publish(bench, session, await bench.commit(session))
    theirs = await bench.push_from_elsewhere(session)
    await bench.scm.close(session, delete_branch=True)
    assert await bench.github.control.head(REPO, session.branch) == theirs


async def test_without_a_commit_of_its_own_nothing_is_pushed(bench: GitHubBench) -> None:
    session = bench.session()
    await bench.scm.base(bench.project)
    head = bench.git(bench.workspace(session), "rev-parse", "HEAD")
    with pytest.raises(PermanentError, match="no commit"):
        await publish(bench, session, head)
    assert session.branch not in await bench.scm.branches(bench.project)


async def test_titles_and_branches_of_any_letters_arrive_as_they_are(bench: GitHubBench) -> None:
    session = replace(bench.session(), branch="feat/über-größe-日本", id=SessionId("demo-9"))
    head = await bench.commit(session)
    await told(bench, session, head, "Größer\u202e \x1b[31m日本", "Ünïcode `--help`\x00 $(id)")
    pull = bench.pulls()[0]
    assert (pull.head_ref, pull.issue.title) == (session.branch, "Größer 日本")
    assert pull.issue.body.startswith("Ünïcode `--help` $(id)\n\n<!-- ao")


# Refusals ---------------------------------------------------------------------------------------------


async def test_token_that_may_only_read_says_what_is_missing(bench: GitHubBench) -> None:
    session = bench.session()
    head = await bench.commit(session)
    bench.scm = bench.make(token=bench.github.control.token(US, permissions={"contents": "read"}))
    with pytest.raises(NotAllowed) as refused:
        await publish(bench, session, head)
    assert "doctor" in refused.value.next_step


async def test_token_that_may_push_but_open_nothing_says_so_after_the_push(bench: GitHubBench) -> None:
    session = bench.session()
    head = await bench.commit(session)
    bench.scm = bench.make(token=bench.github.control.token(US, permissions={"contents": "write"}))
    with pytest.raises(NotAllowed, match="pulls"):
        await publish(bench, session, head)
    assert await bench.github.control.head(REPO, session.branch) == head


async def test_token_that_is_not_taken_any_more_is_no_outage(bench: GitHubBench) -> None:
    bench.scm = bench.make(token="ghp_gone")  # noqa: S106 - it is none
    with pytest.raises(SignedOut, match="token"):
        await bench.scm.base(bench.project)


async def test_workflow_file_without_that_right_says_which_right_and_is_taken_with_it(
    bench: GitHubBench,
) -> None:
    session = bench.session()
    head = await bench.commit(session, ".github/workflows/ci.yml", "on: push")
    with pytest.raises(NotAllowed) as refused:
        await publish(bench, session, head)
    assert refused.value.what == (
        "GitHub refuses it: a Personal Access Token without the permission Workflows may not change "
        ".github/workflows/ci.yml."
    )
    assert "Give the token Workflows: write (a classic one: scope workflow)" in refused.value.next_step
    bench.scm = bench.make(token=bench.github.control.token(US, scopes=("repo", "workflow")))
    await publish(bench, session, head)
    assert await bench.github.control.head(REPO, session.branch) == head


async def test_repository_that_is_not_there_says_so(bench: GitHubBench) -> None:
    gone = replace(bench.project, repo="acme/gone", folder=bench.home / "projects" / "gone")
    with pytest.raises((NotFound, NotAllowed)):
        await bench.scm.base(gone)


async def test_github_that_is_down_may_be_up_again(bench: GitHubBench) -> None:
    session = bench.session()
    head = await bench.commit(session)
    await bench.github.stop()
    with pytest.raises(TemporaryError):
        await publish(bench, session, head)


async def test_branch_of_a_hostile_name_is_refused_before_git_sees_it(bench: GitHubBench) -> None:
    session = bench.session()
    head = await bench.commit(session)
    for branch in ("--upload-pack=x", "a..b", "x:refs/heads/main", ""):
        with pytest.raises(AoError):
            await bench.scm.publish(
                Publication(
                    session=on_branch(session, branch), source=bench.source(session), head=head, base="main"
                )
            )


async def test_token_is_in_no_argument_list_and_in_no_file(
    bench: GitHubBench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calls = tmp_path / "calls"
    programs = tmp_path / "programs"
    programs.mkdir()
    counter = programs / "git"
    counter.write_text(f'#!/bin/sh\necho "$*" >> "{calls}"\nexec "{shutil.which("git")}" "$@"\n')
    counter.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    session = bench.session()
    await bench.scm.base(bench.project)
    await publish(bench, session, await bench.commit(session))
    assert "push" in calls.read_text()
    assert bench.token not in calls.read_text()
    kept = [path for path in bench.home.rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if bench.token.encode() in path.read_bytes()]


async def test_commits_of_the_users_that_github_lacks_are_told_before_work_starts(bench: GitHubBench) -> None:
    assert await bench.scm.base_note(bench.project) == ""
    bench.write(bench.user, "mine", "1")
    note = await bench.scm.base_note(bench.project)
    assert note.startswith("1 commit of main")
    assert "git push origin main" in note
