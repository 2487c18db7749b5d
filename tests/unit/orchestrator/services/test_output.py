"""The last lines of a terminal, cleaned and masked."""

from __future__ import annotations

import pytest

from orchestrator.domain.ids import SessionId
from orchestrator.errors import NotFound
from orchestrator.services.output import output
from orchestrator.testing.ring import Ring


async def test_last_lines_without_what_could_harm(ring: Ring) -> None:
    one = await ring.spawn()
    token = "ghp_" + "a" * 36
    ring.runtime.show(one, f"one\ntwo\x1b[31m\n\u202ethree {token}")
    found = await output(ring.core, one, 2)
    assert found.splitlines()[0].startswith("two")
    assert "one" not in found
    for bad in ("\x1b", "\u202e", token):
        assert bad not in found
    assert len((await output(ring.core, one, 0)).splitlines()) == 1
    assert len((await output(ring.core, one, 10**9)).splitlines()) == 3


async def test_no_terminal_and_no_session(ring: Ring) -> None:
    one = await ring.spawn()
    ring.runtime.vanish(one)
    for absent in (one, SessionId("demo-9")):
        with pytest.raises(NotFound):
            await output(ring.core, absent)
