"""The command that opens a session's terminal."""

from __future__ import annotations

import pytest

from orchestrator.domain.ids import SessionId
from orchestrator.errors import Conflict, NotFound, TemporaryError
from orchestrator.services.attach import attach
from orchestrator.testing.ring import Ring


async def test_command_and_title(ring: Ring) -> None:
    one = await ring.spawn()
    found = await attach(ring.core, one)
    assert (found.command, found.title) == (("attach-to", one), f"{one} Issue 1")


async def test_session_without_a_terminal_says_why(ring: Ring) -> None:
    ring.scm.fail_next("base", TemporaryError("not now"))
    ring.scm.fail_next("base", TemporaryError("not now"))
    one = await ring.spawn()
    with pytest.raises(Conflict, match="not now"):
        await attach(ring.core, one)
    with pytest.raises(NotFound):
        await attach(ring.core, SessionId("demo-9"))
