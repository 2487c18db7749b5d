"""The label `agent:go` on GitHub: members are obeyed by their rights in the repository, and an empty queue is free."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from typing_extensions import override

from orchestrator.domain.issue import IssueState
from orchestrator.domain.project import Project
from orchestrator.errors import NotAllowed, TemporaryError
from orchestrator.ports.tracker import IssueChange, Queue, Queued, Tracker
from orchestrator.testing.contracts.tracker_queue import QueueContract
from tests.contracts.github_issue_bench import REPO, Bench, issue_bench, make

GO = "agent:go"


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with issue_bench(tmp_path, queue=True) as bench:
        yield bench


class GitHubPeople:
    """bo may write; eve may not."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def mark(self, ref: str, *, member: bool) -> None:
        """Set the label on GitHub."""
        self._bench.control.label(REPO, int(ref), GO, by="bo" if member else "eve")


class TestGitHubQueue(QueueContract):
    @override
    @pytest.fixture
    def tracker(self, bench: Bench) -> Tracker:
        return bench.tracker

    @override
    @pytest.fixture
    def project(self, bench: Bench) -> Project:
        return bench.project

    @override
    @pytest.fixture
    def people(self, bench: Bench) -> GitHubPeople:
        return GitHubPeople(bench)


async def waiting(bench: Bench) -> Sequence[Queued]:
    return await bench.queue.waiting(bench.project)


@pytest.mark.parametrize(
    ("who", "member", "reason"),
    [
        ("ada", True, ""),
        ("bo", True, ""),
        ("tri", True, ""),
        ("rea", False, "rea may only read acme/tool"),
        ("eve", False, "eve may only read acme/tool"),
    ],
)
async def test_whoever_may_triage_is_obeyed(bench: Bench, who: str, member: bool, reason: str) -> None:
    bench.control.issue(REPO, "One", by="eve")
    bench.control.label(REPO, 1, GO, by=who)
    (one,) = await waiting(bench)
    assert (one.issue.ref, one.by, one.member, one.reason, one.label) == ("1", who, member, reason, GO)


async def test_a_template_that_labels_in_an_outsiders_name_starts_nothing(bench: Bench) -> None:
    bench.control.issue(REPO, "Mine bitcoin", by="eve", labels=[GO])
    (one,) = await waiting(bench)
    assert (one.by, one.member) == ("eve", False)


async def test_an_outsiders_issue_that_a_member_marks_is_taken_and_its_words_are_still_an_outsiders(
    bench: Bench,
) -> None:
    bench.control.issue(REPO, "One", by="eve", labels=[GO])
    bench.control.unlabel(REPO, 1, GO, by="bo")
    bench.control.label(REPO, 1, GO, by="bo")
    (one,) = await waiting(bench)
    assert (one.by, one.member, one.issue.trusted) == ("bo", True, False)


@pytest.mark.parametrize(("trusted", "member"), [([], False), (["labeler"], True)])
async def test_a_bot_is_obeyed_only_by_name(tmp_path: Path, trusted: list[str], member: bool) -> None:
    async with issue_bench(tmp_path, queue=True, trustedBots=trusted) as bench:
        bench.control.user("labeler", "Bot")
        bench.control.issue(REPO, "One", by="ada")
        bench.control.label(REPO, 1, GO, by="labeler")
        (one,) = await waiting(bench)
        assert (one.by, one.member) == ("labeler[bot]", member)


async def test_a_mark_that_is_set_again_is_another_one(bench: Bench) -> None:
    bench.control.issue(REPO, "One")
    bench.control.label(REPO, 1, GO, by="eve")
    (first,) = await waiting(bench)
    bench.control.unlabel(REPO, 1, GO, by="ada")
    assert list(await waiting(bench)) == []
    bench.clock.advance(60)
    bench.control.label(REPO, 1, GO, by="ada")
    (second,) = await waiting(bench)
    assert (first.member, second.member, first.mark != second.mark) == (False, True, True)


async def test_the_oldest_mark_comes_first(bench: Bench) -> None:
    for number in (1, 2, 3):
        bench.control.issue(REPO, f"Issue {number}")
    for number in (2, 3, 1):
        bench.clock.advance(60)
        bench.control.label(REPO, number, GO, by="ada")
    assert [one.issue.ref for one in await waiting(bench)] == ["2", "3", "1"]


async def test_an_empty_queue_costs_no_points(bench: Bench) -> None:
    assert list(await waiting(bench)) == []
    core, graphql = bench.points("core"), bench.points("graphql")
    before = bench.calls()
    for _ in range(10):
        bench.clock.advance(60)
        assert list(await waiting(bench)) == []
    assert (bench.calls() - before).total() == 10
    assert (bench.points("core"), bench.points("graphql")) == (core, graphql)


async def test_what_waits_is_not_asked_about_again_until_rights_may_have_changed(bench: Bench) -> None:
    bench.control.issue(REPO, "One")
    bench.control.label(REPO, 1, GO, by="bo")
    first = await waiting(bench)
    before = bench.calls()
    bench.clock.advance(60)
    assert await waiting(bench) == first
    assert (bench.calls() - before).total() == 1
    bench.github.world.repository(REPO).collaborators["bo"] = "read"
    bench.clock.advance(600)
    (one,) = await waiting(bench)
    assert one.member is False


async def test_a_look_that_failed_half_way_is_made_again(bench: Bench) -> None:
    assert list(await waiting(bench)) == []
    bench.control.issue(REPO, "One")
    bench.control.label(REPO, 1, GO, by="ada")
    for part in ("GRAPHQL", "/permission"):
        bench.control.fault("502", part)
        with pytest.raises(TemporaryError):
            await waiting(bench)
    assert [one.issue.ref for one in await waiting(bench)] == ["1"]


async def test_a_taken_up_issue_waits_no_more(bench: Bench) -> None:
    bench.control.issue(REPO, "One")
    bench.control.label(REPO, 1, GO, by="ada")
    await waiting(bench)
    await bench.tracker.update(bench.project, "1", IssueChange(state=IssueState.IN_PROGRESS))
    assert list(await waiting(bench)) == []


async def test_pull_requests_and_closed_issues_are_not_in_the_queue(bench: Bench) -> None:
    await bench.control.push(REPO, "feat/x", {"b.txt": "2"}, by="bo")
    await bench.control.pull(REPO, "feat/x", by="bo")
    bench.control.label(REPO, 1, GO, by="ada")
    bench.control.issue(REPO, "Two")
    bench.control.label(REPO, 2, GO, by="ada")
    await bench.control.close(REPO, 2, by="ada")
    assert list(await waiting(bench)) == []


async def test_outsiders_cannot_fill_the_queue(bench: Bench) -> None:
    for number in range(1, 251):
        bench.control.issue(REPO, f"Issue {number}", by="eve", labels=[GO])
    bench.control.issue(REPO, "Real", by="ada", labels=[GO])
    found = await waiting(bench)
    assert [one.issue.title for one in found if one.member] == ["Real"]
    assert len(found) == 251
    assert sum(count for name, count in bench.calls().items() if "permission" in name) == 2


async def test_a_renamed_repository_hands_out_only_what_is_marked(bench: Bench) -> None:
    for number in range(1, 4):
        bench.control.issue(REPO, f"Issue {number}")
    assert list(await waiting(bench)) == []
    bench.control.rename(REPO, "acme/instrument")
    assert list(await waiting(bench)) == []
    bench.control.label(REPO, 2, GO, by="ada")
    assert [one.issue.ref for one in await waiting(bench)] == ["2"]


async def test_an_account_that_may_not_see_rights_says_so(bench: Bench, tmp_path: Path) -> None:
    bench.control.issue(REPO, "One")
    bench.control.label(REPO, 1, GO, by="ada")
    token = bench.control.token("tri", scopes=("repo",))
    tracker = make(tmp_path / "tri", bench.github, token, queue=True)
    assert isinstance(tracker, Queue)
    with pytest.raises(NotAllowed):
        await tracker.waiting(bench.project)
    await tracker.aclose()
