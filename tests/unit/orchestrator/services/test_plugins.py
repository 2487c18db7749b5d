"""Which plugins there are, used or not, here or not."""

from __future__ import annotations

from orchestrator.ports.plugin import Options, Plugin, Slot
from orchestrator.services import plugins
from orchestrator.testing.ring import Ring


async def test_rows_say_what_is_used_and_what_is_missing(ring: Ring) -> None:
    slot: Slot[object] = Slot("tracker")
    idle = Plugin(
        slot=slot,
        name="idle",
        summary="not used",
        create=lambda _options, _context: object(),
        options=Options,
        needs=("no-such-program", "sh"),
    )
    ring.core.registry.add(idle, "the test")
    rows = {(r.slot, r.name): r for r in await plugins.listed(ring.core)}
    assert rows["tracker", "fake"].used
    row = rows["tracker", "idle"]
    assert (row.used, row.missing, row.summary) == (False, ("no-such-program",), "not used")
