"""A login that is lost is one alarm for the fleet, and one more when it is lost again."""

from __future__ import annotations

from orchestrator.domain.activity import ActivityState, Trouble
from orchestrator.domain.event import Event, Level
from orchestrator.domain.ids import SessionId
from orchestrator.testing.ring import Ring


async def alarms(ring: Ring) -> list[Event]:
    return [e for e in await ring.events() if e.type == "agent.account"]


async def lose(ring: Ring, *sessions: SessionId) -> None:
    for session in sessions:
        ring.agent.says(session, ActivityState.BLOCKED, trouble=Trouble.LOGIN)
        await ring.look(session)
    await ring.settle()


async def test_thirty_sessions_without_login_are_one_alarm(ring: Ring) -> None:
    names = [await ring.spawn(str(number)) for number in (1, 2)]
    await lose(ring, *names)
    await ring.later(60)
    (told,) = await alarms(ring)
    assert told.level is Level.URGENT
    assert "login lost" in told.text
    stuck = [e for e in await ring.events() if e.type == "session.stuck"]
    assert {e.level for e in stuck} == {Level.INFO}
    assert {ring.status(name) for name in names} == {"stuck"}


async def test_a_restart_does_not_tell_it_again(ring: Ring) -> None:
    one = await ring.spawn()
    await lose(ring, one)
    again = await ring.crash()
    await again.later(60)
    assert len(await alarms(again)) == 1


async def test_lost_again_is_told_again(ring: Ring) -> None:
    one = await ring.spawn()
    await lose(ring, one)
    ring.agent.says(one, ActivityState.IDLE)
    await ring.look(one)
    await ring.settle()
    ring.clock.advance(5)
    await lose(ring, one)
    assert len(await alarms(ring)) == 2


async def test_a_full_context_is_the_session_s_own_affair(ring: Ring) -> None:
    one = await ring.spawn()
    ring.agent.says(one, ActivityState.BLOCKED, trouble=Trouble.CONTEXT)
    await ring.look(one)
    assert await alarms(ring) == []
    stuck = [e for e in await ring.events(one) if e.type == "session.stuck"]
    assert [e.level for e in stuck] == [Level.URGENT]
    assert "context full" in stuck[0].text
