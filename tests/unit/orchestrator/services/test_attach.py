"""The command that opens a session's terminal."""

from __future__ import annotations

import pytest

from orchestrator.domain.ids import SessionId
from orchestrator.errors import Conflict, NotFound, TemporaryError
from orchestrator.services.attach import attach
from orchestrator.services.output import output
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


async def test_a_terminal_that_is_gone_says_what_brings_it_back(ring: Ring) -> None:
    one = await ring.spawn()
    ring.runtime.vanish(one)
    for ask in (attach, output):
        with pytest.raises(NotFound, match="its terminal is gone") as refused:
            await ask(ring.core, one)
        assert f"`ao restore {one}`" in refused.value.next_step
    ring.runtime.fail_next(TemporaryError("no server"))
    with pytest.raises(TemporaryError, match="no server"):
        await attach(ring.core, one)
