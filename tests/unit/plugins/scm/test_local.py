"""The local forge beside the user's repository: bases, heads, and what it can say when a look fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from orchestrator.domain.look import Seen, Unseen
from orchestrator.domain.pull_request import (
    Mergeable,
    PullRequest,
    PullRequestState,
    ReviewDecision,
)
from orchestrator.errors import BadInput, NotFound, PermanentError
from orchestrator.ports.scm import Publication
from orchestrator.testing.contracts.scm import ANA, look, publish
from tests.contracts.local_forge_bench import LocalBench

pytestmark = pytest.mark.git


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[LocalBench]:
    made = LocalBench(tmp_path)
    yield made
    await made.aclose()


# The user's repository ------------------------------------------------------------------------------


async def test_the_users_new_commits_come_into_the_base(bench: LocalBench) -> None:
    first = await bench.local.base(bench.project)
    sha = bench.write(bench.user, "more", "more\n")
    second = await bench.local.base(bench.project)
    assert (second.sha, second.note) == (sha, "")
    assert second.sha != first.sha
    assert bench.git(bench.project.mirror, "rev-parse", "refs/ao/base/main") == sha


async def test_when_both_have_moved_the_forge_wins_and_says_so(bench: LocalBench) -> None:
    await bench.move_base("forge", "1")
    ours = bench.git(bench.forge, "rev-parse", "main")
    bench.write(bench.user, "user", "2\n")
    base = await bench.local.base(bench.project)
    assert base.sha == ours
    assert f"1 commit of main in {bench.user} is not in what work starts from" in base.note
    assert f"`git pull --no-rebase {bench.forge} main`" in base.note
    assert await bench.local.base_note(bench.project) == base.note
    bench.git(bench.user, "pull", "--quiet", "--no-rebase", "--no-edit", str(bench.forge), "main")
    joined = await bench.local.base(bench.project)
    assert (joined.sha, joined.note) == (bench.git(bench.user, "rev-parse", "HEAD"), "")


async def test_a_users_repository_that_is_gone_does_not_stop_the_forge(bench: LocalBench) -> None:
    known = await bench.local.base(bench.project)
    bench.user.rename(bench.folder / "moved")
    base = await bench.local.base(bench.project)
    assert base.sha == known.sha
    assert "no git repository" in base.note
    with pytest.raises(NotFound, match="no git repository"):
        await bench.local.base(bench.project, "other")


async def test_a_repository_without_commits_says_so(bench: LocalBench, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    bench.git(empty, "init", "--quiet", "--initial-branch=main")
    with pytest.raises(PermanentError, match="no commits yet"):
        await bench.local.base(replace(bench.project, path=empty))


async def test_the_users_checkout_is_never_touched(bench: LocalBench) -> None:
    bench.write(bench.user, "tracked", "1\n")
    (bench.user / "tracked").write_text("changed and not committed\n")
    before = _state(bench)
    session, head = await bench.opened()
    await bench.local.merge(session, head, "squash")
    await bench.local.base(bench.project)
    assert _state(bench) == before


def _state(bench: LocalBench) -> tuple[object, ...]:
    status = bench.git(bench.user, "status", "--porcelain")  # refreshes the index
    files = {p: p.read_bytes() for p in bench.user.rglob("*") if p.is_file() and p.name != "index"}
    return files, bench.git(bench.user, "for-each-ref"), status


# Heads ----------------------------------------------------------------------------------------------


async def test_a_head_without_new_commits_is_refused(bench: LocalBench) -> None:
    session = bench.session()
    head = bench.git(bench.workspace(session), "rev-parse", "HEAD")
    with pytest.raises(PermanentError, match="no commit that main has not"):
        await publish(bench, session, head)
    assert bench.git(bench.forge, "for-each-ref", "refs/heads/feat") == ""


@pytest.mark.parametrize("head", ["abc", "--upload-pack=x", "A" * 40, "HEAD"])
async def test_what_is_no_commit_id_is_refused(bench: LocalBench, head: str) -> None:
    with pytest.raises(BadInput):
        await publish(bench, bench.session(), head)


async def test_a_branch_that_git_would_take_for_an_option_is_refused(bench: LocalBench) -> None:
    session = replace(bench.session(), branch="--upload-pack=touch x")
    what = Publication(session=session, source=str(bench.user), head="a" * 40, base="main")
    with pytest.raises(BadInput):
        await bench.local.publish(what)


async def test_size_and_position_are_shown(bench: LocalBench) -> None:
    session = bench.session()
    bench.write(bench.workspace(session), "a", "1\n2\n3\n")
    await publish(bench, session, await bench.commit(session, "readme", "other"))
    seen = await look(bench, session)
    assert (seen.additions, seen.deletions, seen.files, seen.behind) == (4, 1, 2, False)
    await bench.move_base("elsewhere", "1")
    seen = await look(bench, session)
    assert (seen.additions, seen.files, seen.behind, seen.mergeable) == (4, 2, True, Mergeable.CLEAN)


async def test_the_mirror_knows_what_the_forge_has(bench: LocalBench) -> None:
    session, head = await bench.opened()
    assert bench.git(bench.project.mirror, "rev-parse", f"refs/ao/out/{session.id}") == head


async def test_a_branch_that_somebody_deleted_closes_its_pull_request(bench: LocalBench) -> None:
    session, head = await bench.opened()
    bench.git(bench.forge, "update-ref", "-d", f"refs/heads/{session.branch}")
    seen = await look(bench, session)
    assert (seen.state, seen.head) == (PullRequestState.CLOSED, head)
    assert bench.git(bench.forge, "cat-file", "-t", head) == "commit"


async def test_closing_keeps_a_branch_that_somebody_else_pushed_to(bench: LocalBench) -> None:
    session, _ = await bench.opened()
    theirs = await bench.push_from_elsewhere(session)
    await bench.local.close(session, delete_branch=True)
    assert bench.git(bench.forge, "rev-parse", f"refs/heads/{session.branch}") == theirs


# Looking --------------------------------------------------------------------------------------------


async def test_what_cannot_be_seen_has_a_reason(bench: LocalBench) -> None:
    session, _ = await bench.opened()
    (bench.forge / "HEAD").write_text("damaged")
    seen = (await bench.make().observe([session]))[session.id]
    assert isinstance(seen, Unseen)
    assert "forge" in seen.reason or "git" in seen.reason


async def test_one_look_tries_a_bounded_number_of_merges(bench: LocalBench) -> None:
    pulls = [await bench.opened(f"file-{number}", number) for number in (1, 2, 3)]
    await bench.settled()
    await bench.move_base("other", "1")
    bench.scm = bench.local = bench.make()
    bench.local._rules = replace(bench.local._rules, trials=1)
    bench.woken.clear()
    sessions = [session for session, _ in pulls]
    seen = [
        look_.value for look_ in (await bench.local.observe(sessions)).values() if isinstance(look_, Seen)
    ]
    assert [pull.mergeable for pull in seen if pull].count(Mergeable.UNKNOWN) == 2
    assert len(bench.woken) == 2
    await bench.local.observe(sessions)
    again = [
        look_.value for look_ in (await bench.local.observe(sessions)).values() if isinstance(look_, Seen)
    ]
    assert {pull.mergeable for pull in again if pull} == {Mergeable.CLEAN}


async def test_a_damaged_record_is_told_and_the_next_publication_goes_on(bench: LocalBench) -> None:
    session, head = await bench.opened()
    other, _ = await bench.opened("other", 2)
    await bench.settled()  # Checks that run would replace the record.
    (bench.project.folder / "forge" / "pulls" / "1.json").write_text("{")
    for _ in range(2):
        bench.scm = bench.local = bench.make()
        looks = await bench.local.observe([session, other])
        damaged = looks[session.id]
        assert isinstance(damaged, Unseen)
        assert "1.json.damaged" in damaged.reason
        assert isinstance(looks[other.id], Seen)
        with pytest.raises(PermanentError, match=r"1\.json\.damaged"):
            await bench.local.merge(session, head, "squash")
    made = await publish(bench, session, head)
    assert isinstance(made, PullRequest)
    assert made.number == 3
    assert (await look(bench, session)).number == 3


async def test_a_review_that_cannot_be_kept_is_not_shown(bench: LocalBench) -> None:
    session, head = await bench.opened()
    await bench.settled()
    pulls = bench.project.folder / "forge" / "pulls"
    pulls.rename(pulls.with_name("away"))
    pulls.write_text("in the way")
    with pytest.raises(Exception, match="could not be kept"):
        await bench.local.review(session, head, ReviewDecision.APPROVED, ANA)
    assert (await look(bench, session)).decision is ReviewDecision.NONE


async def test_two_merges_at_once_are_one(bench: LocalBench) -> None:
    session, head = await bench.opened()
    one, two = await asyncio.gather(*(bench.local.merge(session, head, "squash") for _ in range(2)))
    assert one == two
    assert bench.git(bench.forge, "rev-list", "--count", "main") == "2"
