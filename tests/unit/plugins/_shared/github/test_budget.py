"""The governor: one budget, spread to the reset, obedient to GitHub, and never a storm."""

from __future__ import annotations

import email.utils

from plugins._shared.github.budget import (
    CONTENT_A_MINUTE,
    CONTENT_AN_HOUR,
    LONGEST_PAUSE,
    TROUBLE_TOLD,
    Budget,
)

T0 = 1_800_000_000.0


def left(
    remaining: int, *, reset: float = 3600.0, limit: int = 5000, skew: float = 0.0, now: float = T0
) -> dict[str, str]:
    return {
        "x-ratelimit-limit": str(limit),
        "x-ratelimit-remaining": str(remaining),
        "x-ratelimit-reset": str(int(T0 + reset + skew)),
        "x-ratelimit-resource": "graphql",
        "date": email.utils.formatdate(now + skew, usegmt=True),
    }


def spend(budget: Budget, points: int, *, seconds: float, at: float, remaining: int) -> float:
    """Use so many points evenly over a time; the clock after it."""
    steps = 20
    for step in range(1, steps + 1):
        now = at + seconds * step / steps
        budget.began("graphql", now)
        budget.heard(
            "graphql", 200, left(remaining - points * step // steps, now=now), now, cost=points // steps
        )
    return at + seconds


def test_nothing_known_nothing_waits() -> None:
    budget = Budget("github.com")
    assert budget.wait("rest", T0) == 0
    assert budget.stretch(T0) == 1.0
    assert budget.words(T0) == ""


def test_a_use_that_lasts_to_the_reset_slows_nothing() -> None:
    budget = Budget("github.com")
    now = spend(budget, 400, seconds=600, at=T0, remaining=5000)  # 2,400 an hour
    assert budget.stretch(now) == 1.0
    assert budget.words(now) == ""


def test_a_use_that_would_not_last_is_slowed_just_enough_and_says_when_it_would_have_ended() -> None:
    budget = Budget("github.com")
    now = spend(budget, 1600, seconds=600, at=T0, remaining=5000)  # 9,600 an hour
    stretch = budget.stretch(now)
    assert 2.0 < stretch < 3.0
    budget.interval = 30 * stretch
    words = budget.words(now)
    assert words.startswith("limit in 2")
    assert words.endswith(f"slowed to {30 * stretch:.0f} s")


def test_what_others_use_with_the_same_token_is_counted() -> None:
    alone, shared = Budget("github.com"), Budget("github.com")
    now = spend(alone, 400, seconds=600, at=T0, remaining=5000)
    for step in range(1, 21):  # the same of ours, and three times as much by somebody else
        at = T0 + 600 * step / 20
        shared.began("graphql", at)
        shared.heard("graphql", 200, left(5000 - 80 * step, now=at), at, cost=20)
    assert alone.stretch(now) == 1.0
    assert shared.stretch(now) > 5.0


def test_slowing_holds_while_it_is_slowed() -> None:
    budget = Budget("github.com")
    now = spend(budget, 1600, seconds=600, at=T0, remaining=5000)
    first = budget.stretch(now)
    after = spend(budget, int(1600 / first), seconds=600, at=now, remaining=3400)
    assert first * 0.7 < budget.stretch(after) < first * 1.3


def test_a_reserve_is_left_to_what_people_ask_for() -> None:
    budget = Budget("github.com")
    budget.heard("graphql", 200, left(150), T0)
    assert budget.wait("graphql", T0) > 3000
    assert budget.wait("graphql", T0, write=True) == 0
    assert "limit reached; looks go on in 60 min" in budget.words(T0)
    assert budget.wait("graphql", T0 + 3602) == 0


def test_what_is_used_up_waits_for_the_reset_by_githubs_clock() -> None:
    budget = Budget("github.com")
    budget.heard("graphql", 200, left(0, reset=600, skew=-500.0), T0)
    assert 599 <= budget.wait("graphql", T0, write=True) <= 602
    assert abs(budget.meters(T0)[0].resets_at - (T0 + 600)) < 1.5


def test_answers_that_were_overtaken_change_nothing() -> None:
    budget = Budget("github.com")
    budget.heard("graphql", 200, left(4000), T0)
    budget.heard("graphql", 200, left(4100), T0)
    budget.heard("graphql", 200, left(12, reset=-10), T0)
    assert budget.meters(T0)[0].remaining == 4000


def test_retry_after_holds_the_whole_identity() -> None:
    budget = Budget("github.com")
    budget.refused(90, T0)
    assert budget.wait("rest", T0) == 90
    assert budget.wait("graphql", T0 + 80, write=True) == 10
    assert budget.words(T0) == "github.com asks to wait; next try in 2 min"
    assert budget.wait("rest", T0 + 90) == 0


def test_a_shorter_pause_ends_no_longer_one() -> None:
    budget = Budget("github.com")
    budget.refused(90, T0)
    budget.refused(5, T0 + 1)
    assert budget.wait("rest", T0 + 10) == 80


def test_in_an_outage_one_call_tries_at_a_time_ever_more_rarely() -> None:
    budget, now, calls = Budget("github.com"), T0, 0
    end = T0 + 3600
    while now < end:
        if budget.wait("rest", now) == 0:
            calls += 1
            budget.began("rest", now)
            assert budget.wait("rest", now) > 0 or calls == 1  # the others wait for the one that tries
            budget.failed(now)
            budget.failed(now)  # a second that was on its way counts once
        now += 1.0
    assert calls < 3600 / LONGEST_PAUSE + 10
    budget.began("rest", now)
    budget.heard("rest", 200, {}, now)
    assert budget.wait("rest", now) == 0


def test_whoever_waits_is_told_truly_what_for_and_how_long() -> None:
    budget = Budget("github.com")
    assert budget.hold("rest", T0) == (0.0, "")
    budget.failed(T0)
    assert budget.hold("rest", T0)[1] == "github.com is in trouble; next try in 2 s"
    budget.began("rest", T0 + 3)
    assert "one call tries whether that is over; next try in 9 s" in budget.hold("rest", T0 + 4)[1]
    budget.heard("rest", 200, {}, T0 + 4)
    assert budget.hold("rest", T0 + 4) == (0.0, "")
    budget.heard("graphql", 200, left(150), T0)
    words = "its limit of 5000 GraphQL points an hour is used up but for 150, kept for writing; next try in 60 min"
    assert budget.hold("graphql", T0)[1] == words
    assert budget.hold("graphql", T0, write=True) == (0.0, "")
    budget.heard("graphql", 200, left(0), T0)
    words = "its limit of 5000 GraphQL points an hour is used up; next try in 60 min"
    assert budget.hold("graphql", T0, write=True)[1] == words
    many = Budget("github.com")
    while many.hold("rest", T0) == (0.0, ""):
        many.began("rest", T0)
    assert (
        many.hold("rest", T0 + 1)[1]
        == "as many REST calls as it allows in a minute are used; next try in 59 s"
    )
    written = Budget("github.com")
    for _ in range(CONTENT_A_MINUTE):
        written.began("rest", T0, write=True)
    assert "as much was written there as it allows" in written.hold("rest", T0 + 1, write=True)[1]


def test_an_outage_is_told_of_without_a_gap_until_a_call_succeeds() -> None:
    """`/healthz` says `degraded` all the time: a pause that has run out is not the end."""
    budget, tried = Budget("github.com"), 0
    for second in range(300):
        now = T0 + second
        if budget.wait("graphql", now) == 0 and second % 7 == 0:  # nobody tries at once
            tried += 1
            budget.began("graphql", now)
            budget.failed(now, "graphql")
        assert "github.com is in trouble" in budget.words(now)
    assert tried > 5
    budget.heard("rest", 200, {}, T0 + 300)
    assert "is in trouble" in budget.words(T0 + 301), "half of it still is"
    budget.heard("graphql", 200, {}, T0 + 302)
    assert budget.words(T0 + 302) == ""


def test_trouble_that_nobody_met_for_long_is_not_told_for_ever() -> None:
    budget = Budget("github.com")
    budget.failed(T0, "rest")
    budget.heard("graphql", 200, {}, T0 + 5)
    assert "is in trouble" in budget.words(T0 + TROUBLE_TOLD - 1)
    assert budget.words(T0 + TROUBLE_TOLD) == ""


def test_an_outage_is_over_with_the_first_call_of_its_kind_that_succeeds() -> None:
    budget, told = Budget("github.com"), list[float]()
    budget.on_recovery.append(told.append)
    budget.failed(T0, "graphql")
    budget.heard("rest", 200, {}, T0 + 5)
    assert (list(budget.down), told) == (["graphql"], [])
    budget.heard("graphql", 501, {}, T0 + 60)
    assert (list(budget.down), told) == ([], [60.0])
    budget.failed(T0 + 61, "graphql", since=T0 + 41)
    assert not budget.down, "what hung since before says nothing of now"


def test_in_an_outage_in_which_calls_hang_the_next_one_is_not_put_off_twice() -> None:
    budget, now = Budget("github.com"), T0
    for _ in range(10):
        budget.began("rest", now)
        budget.failed(now + 20, since=now)
        now += 20 + budget.wait("rest", now + 20)
    assert budget.wait("rest", now) == 0
    assert now - T0 == 10 * 22


def test_a_probe_that_is_never_answered_does_not_block_for_ever() -> None:
    budget = Budget("github.com")
    budget.failed(T0)
    budget.began("rest", T0 + 5)
    assert budget.wait("rest", T0 + 6) > 0
    assert budget.wait("rest", T0 + 60) == 0


def test_content_keeps_below_githubs_limits_by_the_minute_and_the_hour() -> None:
    budget, now, made = Budget("github.com"), T0, []
    while now < T0 + 7200:
        if budget.wait("rest", now, write=True) == 0:
            budget.began("rest", now, write=True)
            made.append(now)
        now += 0.25
    assert max(sum(at <= one < at + 60 for one in made) for at in made[::7]) <= CONTENT_A_MINUTE
    assert max(sum(at <= one < at + 3600 for one in made) for at in made[::7]) <= CONTENT_AN_HOUR
    assert len(made) >= 2 * CONTENT_AN_HOUR - CONTENT_A_MINUTE


def test_reads_do_not_wait_for_content() -> None:
    budget = Budget("github.com")
    for _ in range(CONTENT_A_MINUTE):
        budget.began("rest", T0, write=True)
    assert budget.wait("rest", T0, write=True) > 0
    assert budget.wait("rest", T0) == 0


def test_points_by_the_minute_are_kept() -> None:
    budget, calls = Budget("github.com"), 0
    while budget.wait("rest", T0) == 0:
        budget.began("rest", T0)
        calls += 1
    assert 700 <= calls <= 900
    assert budget.wait("rest", T0 + 61) == 0


def test_a_304_costs_nothing() -> None:
    budget = Budget("github.com")
    for second in range(600):
        budget.began("rest", T0 + second)
        budget.heard("rest", 304, left(4000, now=T0 + second), T0 + second)
    assert budget.stretch(T0 + 600) == 1.0


def test_a_clock_that_is_set_back_ends_a_pause() -> None:
    budget = Budget("github.com")
    budget.refused(300, T0)
    assert budget.wait("rest", T0 - 50_000) == 0


def test_headers_that_cannot_be_read_change_nothing() -> None:
    budget = Budget("github.com")
    budget.heard("rest", 200, {"date": "yesterday", "x-ratelimit-limit": "many"}, T0)
    assert budget.skew == 0
    assert budget.wait("rest", T0) == 0


def test_meters_tell_of_both_limits_and_our_calls() -> None:
    budget = Budget("ghe.example.org")
    budget.began("graphql", T0)
    budget.heard("graphql", 200, left(4990), T0)
    graphql, rest = budget.meters(T0)
    assert (graphql.name, graphql.limit, graphql.remaining, graphql.calls) == (
        "ghe.example.org graphql",
        5000,
        4990,
        1,
    )
    assert (rest.name, rest.limit, rest.calls) == ("ghe.example.org rest", 0, 0)
