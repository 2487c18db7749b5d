"""The built-in table over a whole fleet: what people hear of, and what they do not."""

from __future__ import annotations

from orchestrator.attention import routing
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
