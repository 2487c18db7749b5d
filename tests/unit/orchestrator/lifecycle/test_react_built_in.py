"""The built-in table over a whole fleet: what people hear of, and what they do not."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.attention import routing
from orchestrator.domain.activity import ActivityState
from orchestrator.domain.event import Event, Level
from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.message import MessageStage
from orchestrator.domain.person import OWNER
from orchestrator.services.retry import retry
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
    ring.rules(reactions={"agent-idle": replace(built_in, auto=True, threshold=None)})
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


async def test_message_of_a_reaction_that_is_off_waits_for_a_person_who_is_told_once(ring: Ring) -> None:
    rules = ring.settings.rules(ProjectId("demo"))
    off = replace(rules.reactions["ci-failed"], auto=False)
    ring.rules(reactions={**rules.reactions, "ci-failed": off})
    one = await ring.spawn()
    await ring.pull_request(one)
    before = len(await ring.events(one))
    await ring.checks(one, passed=False, tail="E  1 != 2")
    await ring.later(300)
    ((level, event),) = await told(ring, one, before)
    head = ring.scm.pull_of(one).head[:12]
    assert level is Level.WARNING
    assert event.text == f"checks failed at {head}; `ao retry demo-1 --send` tells the agent"
    assert [m.text for m in ring.session(one).messages] == []

    await retry(ring.core, one, by=OWNER, send=True)
    await ring.later(60)
    (message,) = ring.session(one).messages
    assert "E  1 != 2" in message.text
    assert message.stage is MessageStage.ANSWERED
    assert [e for _, e in await told(ring, one, before) if e.type == "reaction.waits"] == [event]


async def test_what_waits_is_sent_by_itself_once_the_rule_is_on(ring: Ring) -> None:
    off = ring.settings.rules(ProjectId("demo")).reactions["agent-idle"]
    one = await ring.spawn()
    assert ring.session(one).messages == ()
    ring.rules(reactions={"agent-idle": replace(off, auto=True)})
    await ring.later(500)
    assert ring.session(one).messages != ()
