"""Stopping an agent's turn."""

from __future__ import annotations

import pytest

from orchestrator.domain.person import OWNER
from orchestrator.errors import Conflict
from orchestrator.ports.runtime import Keys
from orchestrator.services.interrupt import interrupt
from orchestrator.testing.ring import Ring


async def test_turn_is_stopped_by_the_agents_own_keys(ring: Ring) -> None:
    ring.agent.slow = True
    one = await ring.spawn()
    assert ring.status(one) == "working"
    await interrupt(ring.core, one, by=OWNER)
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
