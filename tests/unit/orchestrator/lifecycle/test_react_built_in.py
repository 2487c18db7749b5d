"""The built-in table over a whole fleet: what people hear of, and what they do not."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.attention import routing
from orchestrator.domain.activity import ActivityState
from orchestrator.domain.event import Event, Level
from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.testing.ring import Ring

NIGHT = 8 * 3600.0


async def told(ring: Ring, session: SessionId, after: int = 0) -> list[tuple[Level, Event]]:
    """What somebody is told of, and how loudly."""
    rules = ring.settings.rules(ProjectId("demo"))
    heard = [(routing.level(event, rules), event) for event in (await ring.events(session))[after:]]
    return [(level, event) for level, event in heard if level is not None]


async def test_an_idle_night_tells_nobody(ring: Ring) -> None:
    one = await ring.spawn()
    assert ring.status(one) == "idle"
    await ring.later(NIGHT, step=300)
    assert await told(ring, one) == []
    assert "reaction.escalated" not in await ring.told(one)


async def test_idle_agent_is_told_once_a_turn_and_in_the_end_a_person(ring: Ring) -> None:
    built_in = ring.settings.rules(ProjectId("demo")).reactions["agent-idle"]
    ring.rules(reactions={"agent-idle": replace(built_in, auto=True)})
    ring.agent.slow = True
    one = await ring.spawn()
    sent = []
    for _ in range(5):
        ring.agent.says(one, ActivityState.BUSY)
        await ring.look(one)
        ring.agent.finish(one)
        await ring.look(one)
        sent.append(sum(m.by == "reaction agent-idle" for m in ring.session(one).messages))
    assert sent == [1, 2, 2, 2, 2]
    escalated = [e.text for e in await ring.events(one) if e.type == "reaction.escalated"]
    assert escalated == ["agent-idle needs a person: tried 2 times"]
