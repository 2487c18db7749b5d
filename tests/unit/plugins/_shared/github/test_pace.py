"""Who is looked at when: soon where a decision is near, hardly where nothing happens or webhooks tell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.pull_request import Checks, Mergeable, PullRequest, PullRequestState, ReviewDecision
from plugins._shared.github import pace as github_pace
from plugins._shared.github.pace import Haste, Pace, Quota, Standing

T0 = 1_800_000_000.0
PULL = PullRequest(
    number=7,
    url="",
    title="",
    branch="b",
    base="main",
    head="a" * 40,
    state=PullRequestState.OPEN,
    checks=Checks.PASSING,
    mergeable=Mergeable.CLEAN,
)


def looks(
    pace: Pace, seconds: float, *, covered: bool = False, stretch: float = 1.0, unknown: bool = False
) -> int:
    """How many looks there are in a time."""
    count, now = 0, T0
    while now < T0 + seconds:
        if pace.due(now, covered=covered, stretch=stretch):
            count += 1
            pace.looked(now, pace.standing, unknown=unknown)
        now += 1.0
    return count


def rested(standing: Standing) -> Pace:
    pace = Pace(standing=standing, told_at=-1e18, forgotten=False, looked_at=T0)
    pace.looked(T0, standing, unknown=False)
    return pace


@pytest.mark.parametrize(
    ("standing", "covered", "stretch", "an_hour"),
    [
        (Standing.IDLE, False, 1.0, 119),
        (Standing.IDLE, False, 3.0, 39),
        (Standing.IDLE, True, 1.0, 5),
        (Standing.IDLE, True, 9.0, 5),
        (Standing.NEAR, False, 3.0, 119),
        (Standing.NEAR, False, 8.0, 59),
        (Standing.NEAR, True, 1.0, 29),
        (Standing.NONE, False, 1.0, 5),
        (Standing.CLOSED, False, 1.0, 5),
        (Standing.MERGED, False, 1.0, 0),
    ],
)
def test_each_standing_has_its_interval(
    standing: Standing, covered: bool, stretch: float, an_hour: int
) -> None:
    assert looks(rested(standing), 3600, covered=covered, stretch=stretch) == an_hour


def test_what_is_forgotten_is_looked_at_at_once_and_watched_for_a_while() -> None:
    pace = rested(Standing.IDLE)
    assert not pace.due(T0 + 10, covered=True, stretch=5)
    pace.forget(T0 + 10)
    assert pace.due(T0 + 10, covered=True, stretch=5)
    pace.looked(T0 + 10, Standing.IDLE, unknown=False)
    assert pace.due(T0 + 10 + 120 * 5 / 4, covered=True, stretch=5) is False
    assert pace.due(T0 + 10 + 30 * 5 / 4, covered=False, stretch=5)


def test_until_mergeability_is_known_it_is_asked_soon_but_not_for_ever() -> None:
    pace = rested(Standing.NEAR)
    pace.forget(T0)
    assert looks(pace, 31, covered=True, unknown=True) == 5
    assert looks(pace, 3600, covered=True, unknown=True) <= 32


def test_failures_are_asked_again_ever_more_rarely_and_as_github_says() -> None:
    pace = rested(Standing.NEAR)
    waits = []
    now = T0
    for _ in range(7):
        pace.failed(now, 0.0)
        waits.append(pace.interval(now, covered=False, stretch=1.0))
        now += waits[-1]
    assert waits == [15, 30, 60, 120, 300, 300, 300]
    pace.failed(now, 900.0)
    assert pace.interval(T0, covered=False, stretch=1.0) == 900
    pace.looked(T0, Standing.NEAR, unknown=False)
    assert pace.interval(T0, covered=False, stretch=1.0) == 30


def test_deliveries_of_webhooks_while_github_does_not_answer_put_nothing_off() -> None:
    """Ten of them within a second are one failure, not ten: it is asked again in a quarter of a minute."""
    pace = rested(Standing.NEAR)
    for tenth in range(10):
        pace.forget(T0 + tenth / 10)
        pace.failed(T0 + tenth / 10, 0.0)
    assert pace.interval(T0 + 1, covered=True, stretch=1.0) == 15


def test_who_is_due_soon_is_taken_along() -> None:
    pace = rested(Standing.IDLE)
    assert not pace.along(T0 + 10, covered=False, stretch=1.0)
    assert pace.along(T0 + 15, covered=False, stretch=1.0)
    assert not pace.along(T0 + 299, covered=True, stretch=1.0)
    assert pace.along(T0 + 300, covered=True, stretch=1.0)
    pace.failed(T0, 0.0)
    assert not pace.along(T0 + 14, covered=False, stretch=1.0)


def test_webhooks_are_followed_at_once_until_there_are_very_many() -> None:
    haste, now, looks = Haste(), T0, 0
    while now < T0 + 3600:
        if haste.wait(now, 1000) == 0:
            haste.take()
            looks += 1
        now += 0.25
    assert 300 <= looks <= 322
    assert haste.wait(now, 1000) <= github_pace.SLOW
    assert haste.wait(now + 20 * github_pace.SLOW, 1000) == 0


def played(haste: Haste, seconds: int, quota: Quota | None) -> int:
    """Looks at once in a small fleet that is told of something four times a second."""
    looks = 0
    for quarter in range(4 * seconds):
        if haste.wait(T0 + quarter / 4, 1, quota) == 0:
            haste.take()
            looks += 1
    return looks


def test_haste_goes_by_what_is_left_of_the_limit() -> None:
    rested_long = T0 - 3600
    plenty, scarce = Quota(left=4800, seconds=3000), Quota(left=100, seconds=2000)
    assert played(Haste(at=rested_long), 20, plenty) == 80, "each of them"
    assert 35 <= played(Haste(at=rested_long), 20, None) <= 40
    assert 2 <= played(Haste(at=rested_long), 20, scarce) <= 3
    assert played(Haste(at=rested_long), 600, scarce) <= 32
    assert played(Haste(at=rested_long), 20, Quota(left=0, seconds=2000)) <= 1


def test_progress_is_due_within_seconds_of_its_first_word_however_often_it_is_told() -> None:
    pace = rested(Standing.IDLE)
    assert pace.hint_due_in(T0) is None
    waits = [pace.hint(T0 + second) for second in range(12)]
    assert (waits[0], waits[9], waits[11]) == (10.0, 1.0, 0.0)
    assert not pace.due(T0 + 9, covered=True, stretch=1.0)
    assert pace.due(T0 + 10, covered=True, stretch=1.0)
    pace.looked(T0 + 10, Standing.IDLE, unknown=False)
    assert not pace.due(T0 + 60, covered=True, stretch=1.0)
    pace.hint(T0 + 60)
    pace.looked(T0 + 59, Standing.IDLE, unknown=False)
    assert pace.due(T0 + 70, covered=True, stretch=1.0), "that look began before"


def test_a_small_fleet_hears_at_once_of_nearly_everything() -> None:
    haste, looks = Haste(), 0
    for second in range(60):
        if haste.wait(T0 + second, 30) == 0:
            haste.take()
            looks += 1
    assert looks == 60


def test_a_clock_that_was_set_back_holds_nobody_off() -> None:
    assert rested(Standing.IDLE).due(T0 - 86_400, covered=True, stretch=1.0)


def test_a_standing_says_how_near_a_decision_is() -> None:
    approved = replace(PULL, decision=ReviewDecision.APPROVED)
    expected = {
        Standing.IDLE: (PULL, replace(PULL, checks=Checks.FAILING), replace(approved, checks=Checks.FAILING)),
        Standing.NEAR: (
            replace(PULL, checks=Checks.PENDING),
            replace(PULL, mergeable=Mergeable.UNKNOWN),
            replace(PULL, queued=True),
            approved,
        ),
        Standing.MERGED: (replace(PULL, state=PullRequestState.MERGED),),
        Standing.CLOSED: (replace(PULL, state=PullRequestState.CLOSED),),
    }
    for standing, pulls in expected.items():
        assert {github_pace.standing(pull) for pull in pulls} == {standing}
    assert github_pace.standing(None) is Standing.NONE
