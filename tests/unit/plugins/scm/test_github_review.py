"""How verdicts, answers and reruns get to GitHub, and what people are told of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.demo.github.checks import Report
from bot.demo.github.model import Review
from bot.demo.github.reviews import Remark
from orchestrator.domain.person import Actor, ActorKind
from orchestrator.domain.pull_request import ReviewDecision
from orchestrator.errors import BadInput, Conflict, NotAllowed, NotFound
from orchestrator.ports.scm import Carried, Credential
from orchestrator.ports.session_ref import SessionRef
from orchestrator.testing.contracts.scm import ANA, BEN
from tests.contracts.github_bench import REPO, US, GitHubBench

pytestmark = pytest.mark.git

OPS = Actor(kind=ActorKind.PERSON, name="ops")
"""Somebody who is linked to nobody on GitHub."""
APPROVED, ASKED = ReviewDecision.APPROVED, ReviewDecision.CHANGES_REQUESTED


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[GitHubBench]:
    async with GitHubBench(tmp_path) as bench:
        yield bench
    assert bench.github.control.unknown == []


def reviews(bench: GitHubBench) -> list[Review]:
    return bench.pulls()[0].reviews


def said(bench: GitHubBench) -> list[str]:
    """What stands in the conversation."""
    return [comment.body for comment in bench.pulls()[0].issue.comments]


def status(bench: GitHubBench, head: str) -> list[tuple[str, str]]:
    found = bench.github.world.repository(REPO).checks.contexts(head)
    return [(one.context, one.state) for one in found]


async def carry(
    bench: GitHubBench,
    session: SessionRef,
    head: str,
    verdict: ReviewDecision = APPROVED,
    body: str = "",
    *,
    by: Actor = OPS,
    as_: Credential | None = None,
) -> Carried:
    return await bench.scm.review(session, head, verdict, by, body, as_=as_)


# As the person ----------------------------------------------------------------------------------------


async def test_who_is_linked_approves_by_a_review_of_their_own_once(bench: GitHubBench) -> None:
    session, head = await bench.opened()
    for _ in range(2):
        assert await carry(bench, session, head, by=ANA) == Carried(counts=True, words="as a review by ana")
    assert [(r.author.login, r.state, r.commit) for r in reviews(bench)] == [("ana", "APPROVED", head)]
    assert (said(bench), status(bench, head)) == ([], [])


async def test_lines_that_are_named_become_threads_there(bench: GitHubBench) -> None:
    session, head = await bench.opened()
    await carry(bench, session, head, ASKED, "Name it better.\n\nfile:1: What is this?", by=BEN)
    threads = [(t.path, t.line, t.comments[0].body) for t in bench.pulls()[0].threads]
    assert threads == [("file", 1, "What is this?")]
    assert [(r.author.login, r.state, r.body) for r in reviews(bench)] == [
        ("ben", "CHANGES_REQUESTED", "Name it better.")
    ]


async def test_approval_after_changes_were_asked_for_is_a_new_review(bench: GitHubBench) -> None:
    session, head = await bench.opened()
    for verdict, body in ((APPROVED, ""), (ASKED, "No."), (APPROVED, "")):
        await carry(bench, session, head, verdict, body, by=ANA)
    assert [r.state for r in reviews(bench)] == ["APPROVED", "CHANGES_REQUESTED", "APPROVED"]


async def test_review_of_an_outsider_is_said_not_to_count(bench: GitHubBench) -> None:
    session, head = await bench.opened()
    bench.github.control.user("eve")
    eve = Credential(login="eve", token=bench.github.control.token("eve"))
    carried = await carry(bench, session, head, as_=eve)
    assert not carried.counts
    assert carried.words.startswith("as a review by eve, which does not count")


async def test_author_of_the_pull_request_cannot_approve_it_and_is_told(bench: GitHubBench) -> None:
    session, head = await bench.opened()
    us = Credential(login=US, token=bench.token)
    carried = await carry(bench, session, head, as_=us)
    assert carried == Carried(
        counts=False,
        words="as a comment and the status ao/approval; GitHub takes no review by the pull request's own author",
    )
    assert status(bench, head) == [("ao/approval", "success")]


async def test_link_that_was_taken_away_is_an_error_and_no_comment(bench: GitHubBench) -> None:
    session, head = await bench.opened()
    with pytest.raises(NotAllowed):
        await carry(bench, session, head, as_=Credential(login="ana", token="ghu_gone"))  # noqa: S106 - it is none
    assert said(bench) == []


# By the second identity -------------------------------------------------------------------------------


async def test_reviewer_carries_who_is_not_linked_and_names_them(bench: GitHubBench) -> None:
    session, head = await bench.opened()
    bench.variables["REVIEWER_TOKEN"] = bench.github.control.token("ben")
    bench.scm = bench.make(reviewer={"tokenEnv": "REVIEWER_TOKEN"})
    for _ in range(2):
        carried = await carry(bench, session, head)
        assert carried == Carried(counts=True, words="as a review by ben for ops")
    assert [(r.author.login, r.state, r.body) for r in reviews(bench)] == [
        ("ben", "APPROVED", "**ops** approves this in `ao`.")
    ]


async def test_reviewer_that_is_the_author_counts_for_nothing(bench: GitHubBench) -> None:
    session, head = await bench.opened()
    bench.variables["REVIEWER_TOKEN"] = bench.token
    bench.scm = bench.make(reviewer={"tokenEnv": "REVIEWER_TOKEN"})
    carried = await carry(bench, session, head)
    assert not carried.counts
    assert reviews(bench) == []


# Here -------------------------------------------------------------------------------------------------


async def test_without_a_link_it_is_a_comment_and_a_status_that_protection_can_ask_for(
    bench: GitHubBench,
) -> None:
    session, head = await bench.opened()
    for _ in range(2):
        carried = await carry(bench, session, head)
        assert carried == Carried(counts=False, words="as a comment and the status ao/approval")
    assert said(bench) == [f"**ops** approves {head[:12]} in `ao`.\n\n<!-- ao -->"]
    assert status(bench, head) == [("ao/approval", "success")]
    assert reviews(bench) == []


async def test_changes_that_are_asked_for_here_can_be_read_as_remarks_and_take_the_status_back(
    bench: GitHubBench,
) -> None:
    session, head = await bench.opened()
    await carry(bench, session, head)
    carried = await carry(bench, session, head, ASKED, "Not yet.\n\nfile:1: Why?")
    assert not carried.counts
    assert status(bench, head) == [("ao/approval", "failure")]
    assert [(r.author.login, r.state) for r in reviews(bench)] == [(US, "COMMENTED")]
    assert "Not yet." in reviews(bench)[0].body
    assert [t.comments[0].body for t in bench.pulls()[0].threads] == ["Why?"]
    assert "<!-- ao -->" not in reviews(bench)[0].body


async def test_remark_that_was_left_before_a_failure_is_not_left_again(bench: GitHubBench) -> None:
    session, head = await bench.opened()
    for words in ("Use a list.", "Use a list.", "And name it."):
        await carry(bench, session, head, ASKED, words)
    assert [r.body.rpartition("\n")[2] for r in reviews(bench)] == ["Use a list.", "And name it."]


async def test_status_waits_for_as_many_people_as_it_is_told_and_for_whoever_asked_for_changes(
    bench: GitHubBench,
) -> None:
    session, head = await bench.opened()
    bench.scm = bench.make(approvals=2)
    eve = Actor(kind=ActorKind.PERSON, name="eve")
    states = []
    for by, verdict in ((OPS, APPROVED), (OPS, APPROVED), (eve, ASKED), (OPS, APPROVED), (eve, APPROVED)):
        await carry(bench, session, head, verdict, "" if verdict is APPROVED else "No.", by=by)
        states += [state for _, state in status(bench, head)]
    assert states == ["pending", "pending", "failure", "failure", "success"]


async def test_name_of_a_person_mentions_nobody_on_github(bench: GitHubBench) -> None:
    session, head = await bench.opened()
    await carry(bench, session, head, by=Actor(kind=ActorKind.PERSON, name="@acme/all"))
    assert "@" not in said(bench)[0]


async def test_verdict_on_another_head_is_refused(bench: GitHubBench) -> None:
    session, head = await bench.opened()
    await bench.push_from_elsewhere(session)
    with pytest.raises(Conflict):
        await carry(bench, session, head)
    assert said(bench) == []


# Threads and checks -----------------------------------------------------------------------------------


def thread(bench: GitHubBench, number: int) -> str:
    """Somebody remarks on a line; the thread."""
    bench.github.control.review(
        REPO, number, "COMMENT", by="ana", remarks=[Remark(path="file", line=1, body="Why?")]
    )
    return bench.github.control.find_pull(REPO, number).threads[-1].node_id


async def test_thread_is_answered_and_resolved(bench: GitHubBench) -> None:
    session, _ = await bench.opened()
    name = thread(bench, 1)
    for _ in range(2):  # as after a crash
        await bench.scm.reply(session, name, "Because of password=hunter2hunter2.\x1b[2J")
        await bench.scm.resolve(session, name)
    found = bench.pulls()[0].threads[0]
    assert found.resolved_by is not None
    assert len(found.comments) == 2
    answer = found.comments[-1].body
    assert answer.endswith("\n\n<!-- ao -->")
    assert "hunter2" not in answer
    with pytest.raises(BadInput):
        await bench.scm.reply(session, name, " \n")


async def test_thread_of_another_pull_request_is_nothing_to_a_session(bench: GitHubBench) -> None:
    one, _ = await bench.opened(number=1)
    await bench.opened(number=2)
    theirs = thread(bench, 2)
    for name in (theirs, "PRRT_no", bench.pulls()[0].node_id, ""):
        with pytest.raises(NotFound):
            await bench.scm.resolve(one, name)
        with pytest.raises(NotFound):
            await bench.scm.reply(one, name, "x")
    assert bench.pulls()[1].threads[0].resolved_by is None


async def test_failed_jobs_run_again_and_what_did_not_fail_does_not(bench: GitHubBench) -> None:
    session, head = await bench.opened()
    with pytest.raises(Conflict, match="no workflow"):
        await bench.scm.rerun(session, head)
    control = bench.github.control
    await control.check(REPO, 1, Report(name="test", conclusion="failure", log="boom"))
    await control.check(REPO, 1, Report(name="lint", conclusion="success"))
    await bench.scm.rerun(session, head)
    now = {run.name: run.status for run in bench.github.world.repository(REPO).checks.latest(head)}
    assert now == {"test": "queued", "lint": "completed"}
    with pytest.raises(Conflict):
        await bench.scm.rerun(session, "a" * 40)
