"""What the user has and new work starts without is told."""

from __future__ import annotations

from orchestrator.errors import TemporaryError
from orchestrator.services.base_note import of_session
from orchestrator.testing.ring import Ring


async def test_what_the_base_lacks_is_told_and_a_forge_that_is_down_is_not(ring: Ring) -> None:
    session = ring.session(await ring.spawn())
    assert await of_session(ring.core, session) == ""
    ring.scm.note = "2 commits of main are not in it"
    assert await of_session(ring.core, session) == ring.scm.note
    ring.scm.fail_next("base_note", TemporaryError("503"))
    assert await of_session(ring.core, session) == ""
