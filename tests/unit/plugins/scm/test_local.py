"""The local forge: the user's repository beside it, checks, reviews, merges, and what goes wrong."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from blockbuster import BlockBuster
from typing_extensions import override

from orchestrator.domain.look import Seen, Unseen
from orchestrator.domain.pull_request import (
    Checks,
    CheckState,
    Mergeable,
    PullRequest,
    PullRequestState,
    ReviewDecision,
)
from orchestrator.errors import BadInput, Conflict, NotFound, PermanentError
from orchestrator.ports.scm import Publication
from orchestrator.ports.session_ref import SessionRef
from orchestrator.testing.contracts.scm import ANA, look, publish
from orchestrator.testing.waiting import eventually
from plugins.scm.local import LocalScmOptions
from tests.contracts.local_forge_bench import LocalBench

pytestmark = pytest.mark.git


@pytest.fixture
def bench(tmp_path: Path) -> LocalBench:
    return LocalBench(tmp_path)


async def opened(bench: LocalBench, path: str = "file", number: int = 1) -> tuple[SessionRef, str]:
    """A session with an open pull request, and its head."""
    session = bench.session(number)
    head = await bench.commit(session, path)
    await publish(bench, session, head)
    return session, head


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
    assert "main has moved in" in base.note
    assert f"git pull {bench.forge} main" in base.note
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
    session, head = await opened(bench)
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
    session, head = await opened(bench)
    assert bench.git(bench.project.mirror, "rev-parse", f"refs/ao/out/{session.id}") == head


async def test_a_branch_that_somebody_deleted_closes_its_pull_request(bench: LocalBench) -> None:
    session, head = await opened(bench)
    bench.git(bench.forge, "update-ref", "-d", f"refs/heads/{session.branch}")
    seen = await look(bench, session)
    assert (seen.state, seen.head) == (PullRequestState.CLOSED, head)
    assert bench.git(bench.forge, "cat-file", "-t", head) == "commit"


async def test_closing_keeps_a_branch_that_somebody_else_pushed_to(bench: LocalBench) -> None:
    session, _ = await opened(bench)
    theirs = await bench.push_from_elsewhere(session)
    await bench.local.close(session, delete_branch=True)
    assert bench.git(bench.forge, "rev-parse", f"refs/heads/{session.branch}") == theirs


# Merging --------------------------------------------------------------------------------------------


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
    session, head = await opened(bench)
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
    session, head = await opened(bench)
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
    session, head = await opened(bench)
    with pytest.raises(BadInput, match="merge, squash, rebase"):
        await bench.local.merge(session, head, "octopus")


async def test_a_base_that_moves_while_we_merge_is_merged_onto(
    tmp_path: Path, blockbuster: BlockBuster
) -> None:
    blockbuster.deactivate()  # the push of somebody else happens inside our call
    bench = MovingBench(tmp_path, moves=2)
    session, head = await opened(bench)
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
    session, head = await opened(bench)
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
    session, head = await opened(bench)
    bench.write(bench.user, "meanwhile", "1\n")
    await bench.local.merge(session, head, "squash")
    bench.git(bench.user, "pull", "--quiet", "--ff-only", str(bench.forge), "main")
    assert {path.name for path in bench.user.iterdir()} >= {"meanwhile", "file", "readme"}


async def test_what_the_user_merged_by_hand_is_merged(bench: LocalBench) -> None:
    session, head = await opened(bench)
    bench.git(bench.user, "pull", "--quiet", "--no-rebase", "--no-edit", str(bench.forge), session.branch)
    base = await bench.local.base(bench.project)
    seen = await look(bench, session)
    assert (seen.state, seen.merge_commit, seen.head) == (PullRequestState.MERGED, base.sha, head)


# Checks ---------------------------------------------------------------------------------------------


async def test_checks_run_in_a_clean_checkout_of_the_head(bench: LocalBench) -> None:
    bench.scm = bench.local = bench.make(
        checks={
            "clean": 'git status --porcelain --ignored; test -z "$(git status --porcelain --ignored)"',
            "head": f'test "$(git rev-parse HEAD)" = "$(cat {bench.folder}/expected)"',
            "nothing else": "test ! -e untracked && test -e file",
        }
    )
    session = bench.session()
    head = await bench.commit(session)
    (bench.folder / "expected").write_text(head)
    (bench.workspace(session) / "untracked").write_text("1")
    await publish(bench, session, head)
    await bench.settled()
    seen = await look(bench, session)
    assert [(run.name, run.state, run.tail) for run in seen.runs] == [
        (name, CheckState.PASSED, "") for name in ("clean", "head", "nothing else")
    ]
    assert seen.checks is Checks.PASSING
    assert session.id in bench.woken
    assert list((bench.project.folder / "forge" / "checkouts").iterdir()) == []


async def test_without_checks_there_are_none(bench: LocalBench) -> None:
    bench.scm = bench.local = bench.make(checks={})
    session, _ = await opened(bench)
    seen = await look(bench, session)
    assert (seen.checks, seen.runs) == (Checks.NONE, ())


async def test_a_newer_head_ends_the_checks_of_the_older(bench: LocalBench) -> None:
    pid = bench.folder / "pid"
    bench.scm = bench.local = bench.make(
        checks={"tests": f"if test -e slow; then echo $$ > {pid}; exec sleep 300; fi"}
    )
    session = bench.session()
    await publish(bench, session, await bench.commit(session, "slow"))
    await eventually(lambda: _exists(pid), bool)
    (bench.workspace(session) / "slow").unlink()
    await publish(bench, session, await bench.commit(session, "file"))
    await bench.settled()
    assert (await look(bench, session)).checks is Checks.PASSING


async def _exists(path: Path) -> bool:
    return await asyncio.to_thread(path.exists)


async def test_a_check_whose_runner_died_with_us_runs_again(bench: LocalBench) -> None:
    started = bench.folder / "started"
    bench.scm = bench.local = bench.make(checks={"tests": f"echo >> {started}; exec sleep 300"})
    session, _ = await opened(bench)
    await eventually(lambda: _exists(started), bool)
    await bench.local.stop()
    left = bench.project.folder / "forge" / "checkouts" / "check-left"
    left.mkdir()
    bench.scm = bench.local = bench.make(checks={"tests": "exit 1"})
    assert (await look(bench, session)).runs[0].state is CheckState.RUNNING
    await bench.settled()
    assert (await look(bench, session)).checks is Checks.FAILING
    assert not left.exists()


async def test_a_check_that_cannot_be_run_is_no_failure(bench: LocalBench) -> None:
    in_the_way = bench.project.folder / "forge" / "checkouts"
    in_the_way.parent.mkdir(parents=True)
    session = bench.session()
    head = await bench.commit(session)
    await bench.local.observe([session])
    in_the_way.write_text("no folder")
    await publish(bench, session, head)
    await bench.settled()
    seen = await look(bench, session)
    assert (seen.checks, seen.mergeable) == (Checks.PENDING, Mergeable.BLOCKED)
    assert "the check tests could not be run: A checkout could not be made" in seen.blockers[0]
    in_the_way.unlink()
    for _ in range(40):
        next(bench.clock)
    await look(bench, session)
    await bench.settled()
    seen = await look(bench, session)
    assert (seen.checks, seen.blockers) == (Checks.PASSING, ())


async def test_results_of_checks_are_kept(bench: LocalBench) -> None:
    session, _ = await opened(bench, "broken")
    await bench.settled()
    bench.scm = bench.local = bench.make()
    seen = await look(bench, session)
    assert (seen.checks, seen.runs[0].tail) == (Checks.FAILING, "it is broken\n[exit code 3]")


@pytest.mark.parametrize("text", ["", "15", "0s", "a while", "-1m"])
def test_a_wrong_time_limit_is_refused(bench: LocalBench, text: str) -> None:
    with pytest.raises(BadInput, match="checkTimeout"):
        bench.make(check_timeout=text)


def test_checks_may_be_a_list_of_lines() -> None:
    options = LocalScmOptions.model_validate({"checks": ["make test"], "checkTimeout": "90s"})
    assert options.checks == ("make test",)


# Looking --------------------------------------------------------------------------------------------


async def test_what_cannot_be_seen_has_a_reason(bench: LocalBench) -> None:
    session, _ = await opened(bench)
    (bench.forge / "HEAD").write_text("damaged")
    seen = (await bench.make().observe([session]))[session.id]
    assert isinstance(seen, Unseen)
    assert "forge" in seen.reason or "git" in seen.reason


async def test_one_look_tries_a_bounded_number_of_merges(bench: LocalBench) -> None:
    pulls = [await opened(bench, f"file-{number}", number) for number in (1, 2, 3)]
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
    session, head = await opened(bench)
    other, _ = await opened(bench, "other", 2)
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
    session, head = await opened(bench)
    await bench.settled()
    pulls = bench.project.folder / "forge" / "pulls"
    pulls.rename(pulls.with_name("away"))
    pulls.write_text("in the way")
    with pytest.raises(Exception, match="could not be kept"):
        await bench.local.review(session, head, ReviewDecision.APPROVED, ANA)
    assert (await look(bench, session)).decision is ReviewDecision.NONE


async def test_two_merges_at_once_are_one(bench: LocalBench) -> None:
    session, head = await opened(bench)
    one, two = await asyncio.gather(*(bench.local.merge(session, head, "squash") for _ in range(2)))
    assert one == two
    assert bench.git(bench.forge, "rev-list", "--count", "main") == "2"
