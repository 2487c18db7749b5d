"""Nobody merges what is held; see `test_merge` for who is named."""

from __future__ import annotations

import pytest

from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import OWNER
from orchestrator.errors import NotFound
from orchestrator.services.hold import hold, unhold
from orchestrator.testing.ring import Ring


async def test_hold_and_release_are_repeatable_and_survive_a_restart(ring: Ring) -> None:
    one = await ring.spawn()
    await hold(ring.core, one, by=OWNER)
    again = await ring.crash()
    assert again.session(one).hold == OWNER
    assert (await unhold(again.core, one, by=OWNER)).hold is None


async def test_session_that_is_not_there(ring: Ring) -> None:
    for verb in (hold, unhold):
        with pytest.raises(NotFound):
            await verb(ring.core, SessionId("demo-9"), by=OWNER)
