"""How long what failed waits, and when it is given up."""

from __future__ import annotations

from orchestrator.domain.ids import SessionId
from orchestrator.errors import AoError, Conflict, PermanentError, TemporaryError
from orchestrator.lifecycle.backoff import STEPS, UNFORESEEN, Backoff

KEY = (SessionId("demo-1"), "Publish")
OTHER = (SessionId("demo-2"), "Publish")


def test_waits_longer_each_time_and_only_for_that_session() -> None:
    backoff = Backoff()
    waits = [backoff.failed(KEY, TemporaryError("x", delay=1.0), 0.0)[0] for _ in range(4)]
    assert waits == list(STEPS[:4])
    assert not backoff.ready(KEY, STEPS[3] - 0.1)
    assert backoff.ready(KEY, STEPS[3])
    assert backoff.ready(OTHER, 0.0)


def test_waits_at_least_as_long_as_asked_from_the_first_failure_on() -> None:
    backoff = Backoff()
    assert backoff.failed(KEY, TemporaryError("x", delay=0.5), 0.0) == (STEPS[0], False)
    assert backoff.failed(KEY, TemporaryError("x", delay=60.0), 0.0) == (60.0, False)
    assert backoff.failed(OTHER, TemporaryError("x", delay=60.0), 0.0) == (60.0, False)


def test_waits_longer_than_the_last_step_where_that_was_asked() -> None:
    backoff = Backoff()
    backoff.failed(KEY, TemporaryError("rate limit", delay=600.0), 1000.0)
    assert not backoff.ready(KEY, 1000.0)
    assert not backoff.ready(KEY, 1599.0)
    assert backoff.ready(KEY, 1600.0)


def test_temporary_errors_are_never_given_up_and_waits_are_bounded() -> None:
    backoff = Backoff()
    results = [backoff.failed(KEY, TemporaryError("x", delay=1.0), 0.0) for _ in range(40)]
    assert not any(give_up for _, give_up in results)
    assert results[-1][0] == STEPS[-1]


def test_refusals_are_given_up_at_once_and_the_unforeseen_after_a_while() -> None:
    assert Backoff().failed(KEY, PermanentError("x"), 0.0)[1]
    assert Backoff().failed(KEY, Conflict("x"), 0.0)[1]
    backoff = Backoff()
    given_up = [backoff.failed(KEY, AoError("x"), 0.0)[1] for _ in range(UNFORESEEN)]
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
