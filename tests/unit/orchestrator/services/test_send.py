"""What is sent to an agent is checked, kept and numbered at once."""

from __future__ import annotations

import pytest

from orchestrator.domain.person import OWNER
from orchestrator.errors import BadInput, Conflict, TemporaryError
from orchestrator.services.kill import kill
from orchestrator.services.send import MOST, send
from orchestrator.testing.ring import Ring


async def test_message_is_numbered_cleaned_and_kept_before_it_is_acknowledged(ring: Ring) -> None:
    one = await ring.spawn()
    first = await send(ring.core, one, "  be\x1b[31m brief \u202e", by=OWNER)
    second = await send(ring.core, one, "and kind", by=OWNER)
    assert (first.number, second.number, first.by) == (1, 2, "owner")
    assert "\x1b" not in first.text
    again = await ring.crash()
    await again.later(60)
    assert [m.text for m in again.session(one).messages] == [first.text, "and kind"]


@pytest.mark.parametrize("text", ["", "   ", "\x00", "x" * (MOST + 1)])
async def test_nothing_and_too_much_are_refused(ring: Ring, text: str) -> None:
    one = await ring.spawn()
    with pytest.raises(BadInput):
        await send(ring.core, one, text, by=OWNER)
    assert ring.session(one).messages == ()


async def test_session_that_ends_takes_no_message(ring: Ring) -> None:
    one = await ring.spawn()
    ring.workspace.fail_next("remove", TemporaryError("busy"))
    await kill(ring.core, one, by=OWNER)
    with pytest.raises(Conflict, match="ended or ending"):
        await send(ring.core, one, "wait", by=OWNER)
