"""A pull request as GitHub shows it becomes what the fleet knows: state, mergeability and why not."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.domain.pull_request import Checks, Mergeable, PullRequestState
from plugins._shared.github.mark import APPROVAL
from plugins._shared.github.pull import GRACE, BranchRules, Facts, pull_request
from plugins._shared.github.words import moment
from tests.unit.plugins._shared.github.nodes import (
    HEAD,
    OLD,
    actor,
    pull,
    remark,
    review,
    run,
    status,
    thread,
)

NOW = moment("2026-01-01T10:00:00Z")
SINCE = NOW - 3600


def shown(*, now: float = NOW, rules: BranchRules | None = None, facts: Any = None, **fields: Any) -> Any:
    given: dict[str, Any] = {"head_since": SINCE, "contexts": [run("test")], **(facts or {})}
    return pull_request(Facts(pull=pull(**fields), rules=rules or BranchRules(), **given), now)


def test_a_clean_one_is_shown_whole() -> None:
    found = shown(author=actor("ao[bot]", "Bot"))
    assert (found.number, found.branch, found.base, found.head) == (7, "feat/issue-7", "main", HEAD)
    assert (found.state, found.checks, found.mergeable) == (
        PullRequestState.OPEN,
        Checks.PASSING,
        Mergeable.CLEAN,
    )
    assert (found.additions, found.deletions, found.files, found.author) == (3, 1, 2, "ao[bot]")
    assert found.blockers == ()


@pytest.mark.parametrize(
    ("fields", "mergeable", "words"),
    [
        ({"mergeable": "CONFLICTING", "mergeStateStatus": "DIRTY"}, Mergeable.CONFLICTED, ""),
        ({"mergeable": "UNKNOWN", "mergeStateStatus": "UNKNOWN"}, Mergeable.UNKNOWN, ""),
        ({"mergeStateStatus": "UNKNOWN"}, Mergeable.UNKNOWN, ""),
        ({"mergeStateStatus": "HAS_HOOKS"}, Mergeable.CLEAN, ""),
        ({"mergeStateStatus": "BEHIND"}, Mergeable.BLOCKED, "the branch must have what is new in main first"),
        ({"isDraft": True, "mergeStateStatus": "DRAFT"}, Mergeable.BLOCKED, "it is a draft"),
        (
            {"mergeStateStatus": "BLOCKED"},
            Mergeable.BLOCKED,
            "a rule of the branch main is not met; https://github.com/o/r/pull/7 says which",
        ),
        (
            {"mergeStateStatus": "BLOCKED", "reviewDecision": "REVIEW_REQUIRED"},
            Mergeable.BLOCKED,
            "a review is missing",
        ),
    ],
)
def test_each_merge_state_is_told_with_its_reason(fields: Any, mergeable: Mergeable, words: str) -> None:
    found = shown(**fields)
    assert (found.mergeable, " ".join(found.blockers)) == (mergeable, words)


def test_an_optional_failure_leaves_it_mergeable() -> None:
    rows = [run("test", isRequired=True), run("lint", "FAILURE")]
    found = shown(mergeStateStatus="UNSTABLE", facts={"contexts": rows})
    assert (found.checks, found.mergeable) == (Checks.PASSING, Mergeable.CLEAN)


def test_where_nothing_is_required_a_failure_is_named() -> None:
    found = shown(mergeStateStatus="UNSTABLE", facts={"contexts": [run("test", "FAILURE")]})
    assert (found.mergeable, found.blockers) == (Mergeable.BLOCKED, ("failing: test",))


def test_a_blocked_one_names_code_owners_conversations_checks_and_who_asked_for_changes() -> None:
    rules = BranchRules(required=frozenset({"build"}), code_owners=True, conversations=True)
    asked = [{"asCodeOwner": True, "requestedReviewer": {"__typename": "Team"}}]
    found = shown(
        rules=rules,
        mergeStateStatus="BLOCKED",
        reviewDecision="REVIEW_REQUIRED",
        reviewRequests={"nodes": asked},
        facts={
            "contexts": [run("build", "FAILURE", isRequired=True), run("lint", "FAILURE")],
            "threads": [thread(), thread("T_2", resolved=True)],
            "reviews": [review("ana", "CHANGES_REQUESTED")],
        },
    )
    assert found.blockers == (
        "failing: build",
        "ana asked for changes",
        "a review by a code owner is missing (a team)",
        "1 conversation is to be resolved",
    )
    assert found.reviewers == ("a team",)


def test_a_required_approval_status_is_asked_for_in_words() -> None:
    rules = BranchRules(required=frozenset({APPROVAL}))
    found = shown(rules=rules, mergeStateStatus="BLOCKED")
    assert found.blockers == (f"the status {APPROVAL} is missing: approve it here",)
    assert found.checks is Checks.PASSING
    given = {"contexts": [run("test"), status(APPROVAL)]}
    assert shown(rules=rules, facts=given).blockers == ()


def test_just_opened_without_checks_it_is_never_mergeable_at_once() -> None:
    facts = {"contexts": [], "head_since": NOW}
    assert shown(facts=facts).checks is Checks.PENDING
    assert shown(facts=facts, now=NOW + GRACE - 1).checks is Checks.PENDING
    assert shown(facts=facts, now=NOW + GRACE).checks is Checks.NONE


def test_checks_of_the_commit_before_are_not_those_of_the_head() -> None:
    behind = {"nodes": [{"commit": {"oid": OLD, "committedDate": "2026-01-01T09:00:00Z"}}]}
    found = shown(commits=behind)
    assert (found.checks, found.runs) == (Checks.PENDING, ())


def test_merged_and_closed_ones_say_so_and_wait_for_nothing() -> None:
    merged = shown(state="MERGED", mergeCommit={"oid": "d" * 40}, facts={"contexts": []})
    assert (merged.state, merged.merge_commit, merged.checks) == (
        PullRequestState.MERGED,
        "d" * 40,
        Checks.NONE,
    )
    closed = shown(state="CLOSED", rules=BranchRules(required=frozenset({"build"})))
    assert (closed.state, [r.name for r in closed.runs]) == (PullRequestState.CLOSED, ["test"])


def test_a_queue_and_native_auto_merge_are_told() -> None:
    assert shown(isInMergeQueue=True).queued
    assert shown(autoMergeRequest={"enabledAt": "2026-01-01T09:00:00Z"}).queued
    assert not shown().queued


def test_threads_and_conversation_come_together() -> None:
    facts = {"threads": [thread()], "said": {"T_1": [remark("ana", "Why?", id="C_1")]}, "first_seen": {}}
    found = shown(comments={"nodes": [remark("ben", "Hm", id="I_1")]}, facts=facts)
    assert [(c.id, c.thread) for c in found.comments] == [("C_1", "T_1"), ("I_1", "")]


def test_hostile_titles_are_one_clean_line() -> None:
    assert shown(title="a\u202eb\nc\x1b[31m").title == "ab c"


def test_fields_that_are_absent_or_of_another_kind_make_no_fall() -> None:
    found = pull_request(Facts(pull={"commits": None, "reviewRequests": {"nodes": [None, 3]}}), NOW)
    assert (found.mergeable, found.checks) == (Mergeable.UNKNOWN, Checks.NONE)
