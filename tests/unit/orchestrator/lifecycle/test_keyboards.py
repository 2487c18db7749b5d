"""Who has a keyboard, and for how long."""

from __future__ import annotations

from orchestrator.domain.ids import SessionId
from orchestrator.lifecycle.keyboards import IDLE, Hold, Keyboards
from orchestrator.testing.examples import ADA

ONE = SessionId("demo-1")


def held(at: float = 1000.0, page: str = "p") -> Keyboards:
    keyboards = Keyboards()
    keyboards.take(ONE, Hold(who=ADA, page=page, at=at))
    return keyboards


def test_it_is_free_after_two_minutes_without_a_key() -> None:
    keyboards = held()
    assert keyboards.of(ONE, 1000.0 + IDLE - 1) is not None
    keyboards.typed(ONE, 3, 1000.0 + IDLE - 1)
    assert keyboards.of(ONE, 1000.0 + IDLE + 1) is not None
    assert keyboards.of(ONE, 1000.0 + 2 * IDLE) is None


def test_a_clock_that_stepped_back_ends_no_hold() -> None:
    assert held().of(ONE, 10.0) is not None


def test_only_its_own_page_gives_it_back_and_once() -> None:
    keyboards = held()
    keyboards.typed(ONE, 2, 1001.0)
    assert keyboards.give_back(ONE, "another") is None
    gone = keyboards.give_back(ONE, "p")
    assert gone is not None
    assert gone.pressed == 2
    assert keyboards.give_back(ONE, "p") is None
    assert keyboards.of(SessionId("demo-2"), 0.0) is None
