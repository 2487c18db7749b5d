"""Stopping an agent's turn."""

from __future__ import annotations

import pytest

from orchestrator.domain.activity import ActivityState, Dialog, Trouble
from orchestrator.domain.person import OWNER
from orchestrator.errors import Conflict, TemporaryError
from orchestrator.ports.runtime import Keys
from orchestrator.services.interrupt import interrupt
from orchestrator.testing.ring import Ring


async def test_turn_is_stopped_by_the_agents_own_keys(ring: Ring) -> None:
    ring.agent.slow = True
    one = await ring.spawn()
    assert ring.status(one) == "working"
    assert await interrupt(ring.core, one, by=OWNER) == "the agent stopped and waits at its prompt"
    await ring.settle()
    assert ring.runtime.terminals[one].sent == [Keys(keys=("Escape",))]
    assert ring.status(one) == "idle"
    assert "session.interrupted" in await ring.told(one)


async def test_dead_agent_cannot_be_interrupted(ring: Ring) -> None:
    one = await ring.spawn()
    ring.runtime.exit(one, 1)
    await ring.look()
    with pytest.raises(Conflict, match="nothing to interrupt"):
        await interrupt(ring.core, one, by=OWNER)


async def test_an_agent_that_rests_is_not_interrupted(ring: Ring) -> None:
    """At a prompt that waits its keys mean something else: they would take a person's text away."""
    one = await ring.spawn()
    assert ring.status(one) == "idle"
    with pytest.raises(Conflict, match="its turn is over already"):
        await interrupt(ring.core, one, by=OWNER)
    assert ring.runtime.terminals[one].sent == []
    assert "session.interrupted" not in await ring.told(one)


async def test_why_an_agent_is_stuck_stays_when_somebody_interrupts_it(ring: Ring) -> None:
    """Its turn has ended with an error: its keys would do nothing but make it look well."""
    one = await ring.spawn()
    trouble = {"trouble": Trouble.CREDIT, "accepts_text": True}
    ring.agent.says(one, ActivityState.BLOCKED, **trouble)
    await ring.look(one)
    with pytest.raises(Conflict, match=r"its turn is over already \(out of credit\)"):
        await interrupt(ring.core, one, by=OWNER)
    await ring.look(one)
    assert ring.session(one).status.reason.startswith("out of credit")
    assert ring.runtime.terminals[one].sent == []


async def test_a_person_at_the_terminal_is_not_interrupted(ring: Ring) -> None:
    ring.agent.slow = True
    one = await ring.spawn()
    ring.runtime.show(one, "", attached=True, person_at=1e12)
    with pytest.raises(TemporaryError, match="a person types"):
        await interrupt(ring.core, one, by=OWNER)
    assert ring.runtime.terminals[one].sent == []


async def test_a_dialog_is_left_by_an_interrupt(ring: Ring) -> None:
    one = await ring.spawn()
    ring.agent.says(one, ActivityState.PERMISSION, dialog=Dialog(id="d1", text="Run make?"))
    assert await interrupt(ring.core, one, by=OWNER) == "the agent stopped and waits at its prompt"
    assert ring.runtime.terminals[one].sent == [Keys(keys=("Escape",))]


@pytest.mark.slow  # waits as long as an agent may take
async def test_what_is_not_seen_to_stop_is_not_said_to_have_stopped(ring: Ring) -> None:
    ring.agent.slow = True
    one = await ring.spawn()
    terminal = ring.runtime.terminals[one]
    terminal.launch = terminal.launch.__class__(argv=("deaf",), cwd="/")
    said = await interrupt(ring.core, one, by=OWNER)
    assert said == "interrupt sent; the agent does not show yet that it stopped"
    assert terminal.sent == [Keys(keys=("Escape",))]
