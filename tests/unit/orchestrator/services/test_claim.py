"""Handing an existing pull request over to a session."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.person import OWNER
from orchestrator.domain.pull_request import PullRequest, PullRequestState
from orchestrator.errors import Conflict, NotFound
from orchestrator.services.claim import claim
from orchestrator.services.spawn import SpawnAsk, spawn
from orchestrator.testing.ring import Ring


def foreign(ring: Ring, number: int = 7) -> None:
    """A pull request that a person opened."""
    ring.scm.forge.pulls["demo", number] = PullRequest(
        number=number,
        url=f"https://forge.test/demo/pull/{number}",
        title="By hand",
        branch="feat/by-hand",
        base="main",
        head="f" * 40,
        state=PullRequestState.OPEN,
    )


async def test_new_session_on_its_branch_has_the_pull_request_at_once(ring: Ring) -> None:
    foreign(ring)
    made = await claim(ring.core, "demo", 7, by=OWNER)
    assert (made.branch, made.change is not None and made.change.pr.number) == ("feat/by-hand", 7)
    await ring.settle()
    assert "Take over pull request #7" in ring.agent.tasks[made.id].prompt
    assert ring.status(made.id) in {"pr_open", "review_pending"}


async def test_session_on_that_branch_takes_it_over(ring: Ring) -> None:
    foreign(ring)
    one = await spawn(ring.core, SpawnAsk(project="demo", prompt="x", branch="feat/by-hand"), by=OWNER)
    await ring.settle()
    claimed = await claim(ring.core, "demo", 7, session=one.id, by=OWNER)
    assert claimed.id == one.id
    assert claimed.change is not None


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
