"""The ring's pulse."""

from __future__ import annotations

from orchestrator.lifecycle.pulse import Pulse


def test_rounds_are_counted_with_their_seconds() -> None:
    pulse = Pulse()
    assert pulse.age(5.0) is None
    pulse.ended(1.0, 1.5)
    pulse.ended(4.0, 5.0, failed=True)
    assert (pulse.rounds, pulse.failed, pulse.seconds, pulse.last_seconds) == (2, 1, 1.5, 1.0)
    assert pulse.age(7.0) == 2.0
