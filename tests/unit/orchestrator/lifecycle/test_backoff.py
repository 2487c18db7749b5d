"""How long what failed waits, and when it is given up."""

from __future__ import annotations

from orchestrator.domain.ids import SessionId
from orchestrator.errors import AoError, Conflict, NotAllowed, PermanentError, SignedOut, TemporaryError
from orchestrator.lifecycle.backoff import STEPS, UNFORESEEN, Backoff, Key

KEY = (SessionId("demo-1"), "Publish")
OTHER = (SessionId("demo-2"), "Publish")


def wait_of(backoff: Backoff, key: Key = KEY) -> float:
    """Seconds from 0 until it is ready, to half a second."""
    return next(half / 2 for half in range(2000) if backoff.ready(key, half / 2))


def failed(backoff: Backoff, delay: float, key: Key = KEY) -> float:
    assert not backoff.failed(key, TemporaryError("x", delay=delay), 0.0), "what may pass is never given up"
    return wait_of(backoff, key)


def test_waits_longer_each_time_and_only_for_that_session() -> None:
    backoff = Backoff()
    assert [failed(backoff, 1.0) for _ in range(4)] == list(STEPS[:4])
    assert backoff.ready(OTHER, 0.0)


def test_waits_at_least_as_long_as_asked_from_the_first_failure_on() -> None:
    backoff = Backoff()
    assert failed(backoff, 0.5) == STEPS[0]
    assert failed(backoff, 60.0) == 60.0
    assert failed(backoff, 60.0, OTHER) == 60.0


def test_waits_longer_than_the_last_step_where_that_was_asked() -> None:
    assert failed(Backoff(), 600.0) == 600.0


def test_waits_are_bounded_by_the_last_step_where_no_more_was_asked() -> None:
    backoff = Backoff()
    assert [failed(backoff, 1.0) for _ in range(40)][-1] == STEPS[-1]


def test_refusals_are_given_up_at_once_and_the_unforeseen_after_a_while() -> None:
    assert Backoff().failed(KEY, PermanentError("x"), 0.0)
    assert Backoff().failed(KEY, Conflict("x"), 0.0)
    assert Backoff().failed(KEY, NotAllowed("x"), 0.0)
    backoff = Backoff()
    given_up = [backoff.failed(KEY, AoError("x"), 0.0) for _ in range(UNFORESEEN)]
    assert given_up == [False] * (UNFORESEEN - 1) + [True]


def test_credential_that_is_not_taken_may_be_renewed_and_is_tried_again() -> None:
    backoff = Backoff()
    given_up = [backoff.failed(KEY, SignedOut("401"), 0.0) for _ in range(UNFORESEEN)]
    assert given_up == [False] * (UNFORESEEN - 1) + [True]


def test_success_and_the_end_of_a_session_forget() -> None:
    backoff = Backoff()
    backoff.failed(KEY, TemporaryError("x"), 0.0)
    backoff.clear(KEY)
    assert backoff.ready(KEY, 0.0)
    backoff.failed(KEY, TemporaryError("x"), 0.0)
    backoff.forget(KEY[0])
    assert backoff.ready(KEY, 0.0)


def test_a_clock_that_stepped_back_does_not_hold_it_for_hours() -> None:
    backoff = Backoff()
    backoff.failed(KEY, TemporaryError("x"), 100_000.0)
    assert backoff.ready(KEY, 50_000.0)
