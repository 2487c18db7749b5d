"""A person's Retry forgets what was tried."""

from __future__ import annotations

import pytest

from orchestrator.domain.message import MessageStage
from orchestrator.domain.person import OWNER
from orchestrator.domain.pull_request import Checks
from orchestrator.errors import Conflict, TemporaryError
from orchestrator.services.kill import kill
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


async def test_head_that_was_sent_is_sent_again_only_after_a_retry(ring: Ring) -> None:
    one = await ring.spawn()
    await ring.pull_request(one)

    async def sent() -> int:
        await ring.checks(one, passed=False, tail="E")
        return sum("CI failed" in m.text for m in ring.session(one).messages)

    assert await sent() == 1
    await ring.checks(one, passed=True)
    assert await sent() == 1
    await retry(ring.core, one, by=OWNER)
    await ring.settle()
    assert await sent() == 2


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


async def test_person_sends_to_an_idle_agent_once(ring: Ring) -> None:
    one = await ring.spawn()
    await retry(ring.core, one, by=OWNER, send=True)
    await ring.later(60)
    (message,) = ring.session(one).messages
    assert (message.by, message.stage) == ("reaction agent-idle", MessageStage.ANSWERED)
    assert (await ring.told(one)).count("reaction.sent") == 1


async def test_second_word_of_a_person_sends_nothing_while_the_first_is_on_its_way(ring: Ring) -> None:
    one = await ring.spawn()
    ring.runtime.fail_next(TemporaryError("busy"))
    for _ in range(2):
        await retry(ring.core, one, by=OWNER, send=True)
    assert len(ring.session(one).messages) == 1


async def test_nothing_waits_or_nobody_is_there_to_be_told(ring: Ring) -> None:
    ring.agent.slow = True
    one = await ring.spawn()
    with pytest.raises(Conflict, match="nothing waits"):
        await retry(ring.core, one, by=OWNER, send=True)
    await kill(ring.core, one, by=OWNER)
    with pytest.raises(Conflict, match="ended or ending"):
        await retry(ring.core, one, by=OWNER, send=True)
    assert "reaction.retry" not in await ring.told(one)
