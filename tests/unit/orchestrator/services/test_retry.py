"""A person's Retry forgets what was tried."""

from __future__ import annotations

import pytest

from orchestrator.domain.person import OWNER
from orchestrator.domain.pull_request import Checks
from orchestrator.errors import TemporaryError
from orchestrator.services.retry import retry
from orchestrator.testing.ring import Ring


async def test_counts_are_cleared_and_the_reaction_runs_again(ring: Ring) -> None:
    one = await ring.spawn()
    for number in range(3):
        await ring.pull_request(one, text=str(number))
        await ring.checks(one, passed=False, tail="E")
    assert (await ring.told(one)).count("reaction.escalated") == 1
    await retry(ring.core, one, by=OWNER)
    await ring.settle()
    session = ring.session(one)
    assert [(a.key, a.count) for a in session.attempts if a.key == "ci-failed"] == [("ci-failed", 1)]
    assert sum("CI failed" in m.text for m in session.messages) == 3


async def test_rerun_asks_the_forge_for_the_same_head(ring: Ring) -> None:
    one = await ring.spawn()
    await ring.pull_request(one)
    await ring.checks(one, passed=False, tail="E")
    await retry(ring.core, one, by=OWNER, rerun=True)
    await ring.settle()
    assert ring.scm.pull_of(one).checks is Checks.PENDING
    ring.scm.fail_next("rerun", TemporaryError("502"))
    with pytest.raises(TemporaryError):
        await retry(ring.core, one, by=OWNER, rerun=True)
