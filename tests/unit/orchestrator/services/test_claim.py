"""Handing an existing pull request over to a session."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.person import OWNER
from orchestrator.domain.pull_request import PullRequest, PullRequestState
from orchestrator.errors import Conflict, NotFound
from orchestrator.services.claim import claim
from orchestrator.services.kill import kill
from orchestrator.services.spawn import SpawnAsk, spawn
from orchestrator.testing.ring import Ring

HEAD = "f" * 40


def foreign(ring: Ring, number: int = 7) -> None:
    """A pull request that a person opened."""
    ring.workspace.add_commit({"by-hand.py": b"x = 1"}, HEAD)
    ring.scm.forge.pulls["demo", number] = PullRequest(
        number=number,
        url=f"https://forge.test/demo/pull/{number}",
        title="By hand",
        branch="feat/by-hand",
        base="main",
        head=HEAD,
        state=PullRequestState.OPEN,
    )


async def test_new_session_has_the_pull_request_once_its_workspace_stands_on_its_head(ring: Ring) -> None:
    foreign(ring)
    made = await claim(ring.core, "demo", 7, by=OWNER)
    assert (made.branch, made.claiming, made.change) == ("feat/by-hand", 7, None)
    await ring.settle()
    session = ring.session(made.id)
    assert ring.place(made.id).files[f"/work/{made.id}/by-hand.py"] == b"x = 1"
    assert (session.local_head, session.published, session.claiming) == (HEAD, HEAD, 0)
    assert session.change is not None
    assert session.change.pr.number == 7
    assert "Take over pull request #7" in ring.agent.tasks[made.id].prompt
    assert ring.status(made.id) in {"pr_open", "review_pending"}
    assert "publish" not in ring.scm.calls
    assert "push.refused" not in await ring.told()


async def test_what_closed_before_the_workspace_was_made_is_not_taken_over(ring: Ring) -> None:
    foreign(ring)
    made = await claim(ring.core, "demo", 7, by=OWNER)
    ring.scm.forge.pulls["demo", 7] = replace(ring.scm.forge.pulls["demo", 7], state=PullRequestState.CLOSED)
    await ring.settle()
    session = ring.session(made.id)
    assert "Pull request 7 is closed" in session.status.reason
    assert session.change is None
    assert ring.runtime.terminals == {}


async def test_pull_request_goes_into_the_base_that_it_was_opened_for(ring: Ring) -> None:
    foreign(ring)
    ring.scm.forge.pulls["demo", 7] = replace(ring.scm.forge.pulls["demo", 7], base="release")
    assert (await claim(ring.core, "demo", 7, by=OWNER)).base == "release"


async def test_session_on_that_branch_takes_it_over_if_it_has_what_is_in_it(ring: Ring) -> None:
    foreign(ring)
    one = await spawn(ring.core, SpawnAsk(project="demo", prompt="x", branch="feat/by-hand"), by=OWNER)
    await ring.settle()
    with pytest.raises(Conflict, match="not at 0000000000"):
        await claim(ring.core, "demo", 7, session=one.id, by=OWNER)
    assert ring.session(one.id).change is None
    ring.workspace.trees[one.id].head = HEAD
    claimed = await claim(ring.core, "demo", 7, session=one.id, by=OWNER)
    assert claimed.id == one.id
    assert claimed.change is not None


async def test_pull_request_of_an_ended_session_is_had_by_restoring_it(ring: Ring) -> None:
    one = await ring.spawn()
    await ring.pull_request(one)
    await kill(ring.core, one, by=OWNER)
    await ring.settle()
    with pytest.raises(Conflict, match="demo-1 has ended and left work on feat/issue-1") as refused:
        await claim(ring.core, "demo", 1, by=OWNER)
    assert f"ao restore {one}" in refused.value.next_step
    assert ring.fleet.all() == ()


async def test_branch_of_another_session_and_another_branch_are_conflicts(ring: Ring) -> None:
    foreign(ring)
    one = await ring.spawn()
    with pytest.raises(Conflict, match="it works on feat/issue-1"):
        await claim(ring.core, "demo", 7, session=one, by=OWNER)
    await claim(ring.core, "demo", 7, by=OWNER)
    with pytest.raises(Conflict, match="belongs to demo-2"):
        await claim(ring.core, "demo", 7, by=OWNER)


async def test_pull_request_that_is_closed_or_not_there(ring: Ring) -> None:
    with pytest.raises(NotFound, match="no pull request #7"):
        await claim(ring.core, "demo", 7, by=OWNER)
    foreign(ring)
    ring.scm.forge.pulls["demo", 7] = replace(ring.scm.forge.pulls["demo", 7], state=PullRequestState.CLOSED)
    with pytest.raises(Conflict, match="is closed"):
        await claim(ring.core, "demo", 7, by=OWNER)
    assert ring.fleet.all() == ()


async def test_a_strangers_pull_request_from_a_fork_is_not_said_to_be_a_sessions(ring: Ring) -> None:
    foreign(ring)
    await spawn(ring.core, SpawnAsk(project="demo", prompt="x", branch="feat/by-hand"), by=OWNER)
    await ring.settle()
    ring.scm.fail_next("bring", Conflict("Pull request #7 is from a fork."))
    with pytest.raises(Conflict, match="from a fork"):
        await claim(ring.core, "demo", 7, by=OWNER)


async def test_what_somebody_opened_on_a_sessions_branch_can_be_handed_to_that_session(ring: Ring) -> None:
    foreign(ring)
    one = await spawn(ring.core, SpawnAsk(project="demo", prompt="x", branch="feat/by-hand"), by=OWNER)
    await ring.settle()
    with pytest.raises(Conflict, match=f"{one.id} works, and is not its pull request") as refused:
        await claim(ring.core, "demo", 7, by=OWNER)
    assert f"ao claim demo 7 --session {one.id}" in refused.value.next_step
