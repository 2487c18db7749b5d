"""Check runs and statuses: what a person and an agent are told of CI."""

from __future__ import annotations

import pytest

from orchestrator.domain.pull_request import Checks, CheckState, sum_up
from plugins._shared.github import checks as github_checks
from plugins._shared.github.words import moment
from tests.unit.plugins._shared.github.nodes import run, status

NOW = moment("2026-01-01T10:00:30Z")


@pytest.mark.parametrize(
    ("conclusion", "state"),
    [
        ("SUCCESS", CheckState.PASSED),
        ("FAILURE", CheckState.FAILED),
        ("TIMED_OUT", CheckState.FAILED),
        ("CANCELLED", CheckState.FAILED),
        ("ACTION_REQUIRED", CheckState.FAILED),
        ("STARTUP_FAILURE", CheckState.FAILED),
        ("A_NEW_ONE", CheckState.FAILED),
        ("NEUTRAL", CheckState.SKIPPED),
        ("SKIPPED", CheckState.SKIPPED),
        ("STALE", CheckState.SKIPPED),
        (None, CheckState.RUNNING),
    ],
)
def test_each_conclusion_means_what_github_says(conclusion: str | None, state: CheckState) -> None:
    assert [c.state for c in github_checks.checks([run("test", conclusion)])] == [state]


def test_what_is_queued_is_pending() -> None:
    (check,) = github_checks.checks([run("test", None, status="QUEUED")])
    assert check.state is CheckState.PENDING


def test_a_run_again_replaces_the_one_before_in_any_order() -> None:
    old = run("test", "FAILURE", databaseId=1)
    new = run("test", "SUCCESS", databaseId=2, startedAt="2026-01-01T10:05:00Z")
    for rows in ([old, new], [new, old]):
        assert [(c.id, c.state) for c in github_checks.checks(rows)] == [(2, CheckState.PASSED)]


def test_one_name_in_two_workflows_for_two_events_and_as_a_status_is_four_checks() -> None:
    rows = [
        run("test", "SUCCESS", workflow="CI"),
        run("test", "FAILURE", workflow="Nightly", event="push"),
        run("test", "FAILURE", workflow="Nightly", event="pull_request"),
        status("test", "PENDING"),
    ]
    shown = github_checks.shown(github_checks.checks(rows))
    assert [(r.name, r.state.value) for r in shown] == [
        ("CI / test", "passed"),
        ("Nightly / test (push)", "failed"),
        ("Nightly / test (pull_request)", "failed"),
        ("test", "pending"),
    ]
    assert sum_up(shown) is Checks.FAILING


def test_a_check_that_is_not_required_blocks_nothing_where_others_are() -> None:
    rows = [run("test", "SUCCESS", isRequired=True), run("lint", "FAILURE")]
    shown = github_checks.shown(github_checks.checks(rows))
    assert [(r.name, r.optional) for r in shown] == [("test", False), ("lint", True)]
    assert sum_up(shown) is Checks.PASSING


def test_where_nothing_is_required_everything_counts() -> None:
    shown = github_checks.shown(github_checks.checks([run("test"), run("lint", "FAILURE")]))
    assert not any(r.optional for r in shown)
    assert sum_up(shown) is Checks.FAILING


def test_a_required_check_that_has_not_reported_is_waited_for_with_words() -> None:
    found = github_checks.with_missing(github_checks.checks([run("test")]), {"test", "build"})
    shown = github_checks.shown(found)
    assert [(r.name, r.state.value, r.optional) for r in shown] == [
        ("test", "passed", False),
        ("build", "pending", False),
    ]
    assert sum_up(shown) is Checks.PENDING
    assert github_checks.blockers(found, NOW) == ("the required check build has not reported",)


def test_a_check_that_runs_for_ever_stays_pending_and_is_named() -> None:
    found = github_checks.checks([run("test", None)])
    assert github_checks.blockers(found, NOW) == ()
    (words,) = github_checks.blockers(found, NOW + 2 * 3600)
    assert words.startswith("the check test waits since ")
    assert github_checks.blockers(found, NOW + 2 * 3600 + 60) == (words,)
    assert sum_up(github_checks.shown(found)) is Checks.PENDING


def test_our_own_approval_status_is_no_check() -> None:
    assert github_checks.checks([status("ao/approval", "PENDING")]) == ()


def test_the_kind_of_failure_and_a_status_words_are_shown() -> None:
    found = github_checks.checks(
        [run("test", "TIMED_OUT", databaseId=5), status("deploy", "ERROR", description="no\x1b[31m room")]
    )
    shown = github_checks.shown(found, {5: "last line"})
    assert [r.tail for r in shown] == ["[timed out]\nlast line", "[no room]"]


def test_hostile_names_are_one_clean_line() -> None:
    (check,) = github_checks.checks([run("sha\nrd\x1b[2J\u202e" + "x" * 500)])
    assert "\n" not in check.name
    assert "\x1b" not in check.name
    assert "\u202e" not in check.name
    assert len(check.name) <= 100
