"""An agent that a limit stopped goes on by itself when the limit is over."""

from __future__ import annotations

from orchestrator.domain.activity import ActivityState, Trouble
from orchestrator.domain.ids import SessionId
from orchestrator.testing.ring import Ring


def told(ring: Ring, session: SessionId) -> list[str]:
    return [m.key for m in ring.session(session).messages if m.key.startswith("agent-limited:")]


async def limited(ring: Ring, session: SessionId, until: float | None = None) -> None:
    ring.agent.says(
        session, ActivityState.LIMITED, trouble=Trouble.RATE, until=until, accepts_text=True, evidence="429"
    )
    await ring.look(session)
    await ring.settle()


async def test_it_is_told_to_go_on_when_the_provider_says_so(ring: Ring) -> None:
    one = await ring.spawn()
    await limited(ring, one, until=ring.clock.now() + 1200)
    assert ring.status(one) == "limited"
    assert "rate limit until" in ring.session(one).status.reason
    await ring.later(1100)
    assert told(ring, one) == []
    await ring.later(200)
    assert len(told(ring, one)) == 1


async def test_where_nobody_says_when_it_waits_longer_each_time(ring: Ring) -> None:
    one = await ring.spawn()
    ring.agent.slow = True
    await limited(ring, one)
    await ring.later(50)
    assert told(ring, one) == []
    await ring.later(60)
    assert len(told(ring, one)) == 1
    await limited(ring, one)
    await ring.later(70)
    assert len(told(ring, one)) == 1
    await ring.later(120)
    assert len(told(ring, one)) == 2


async def test_a_turn_that_went_well_counts_from_the_start(ring: Ring) -> None:
    one = await ring.spawn()
    await limited(ring, one)
    await ring.later(120)
    ring.agent.says(one, ActivityState.IDLE)
    await ring.look(one)
    await ring.settle()
    assert all(a.key != "agent-limited" for a in ring.session(one).attempts)


async def test_one_that_retries_by_itself_is_left_alone(ring: Ring) -> None:
    one = await ring.spawn()
    ring.agent.says(one, ActivityState.LIMITED, trouble=Trouble.OVERLOAD, accepts_text=False)
    await ring.look(one)
    await ring.later(600)
    assert told(ring, one) == []
