"""What the block of the tracker `github` may hold."""

from __future__ import annotations

import pytest

from plugins.tracker.github import PLUGIN, GitHubTrackerOptions


def test_nothing_has_to_be_written() -> None:
    options = GitHubTrackerOptions()
    assert (options.queue, options.trusted_bots) == (False, ())
    assert (options.labels.go, options.labels.working, options.labels.review) == (
        "agent:go",
        "agent:working",
        "agent:review",
    )


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        ({"go": "agent:working"}, "three labels need different names"),
        ({"go": "Agent:Review"}, "three labels need different names"),
        ({"go": "a,b"}, "without a comma"),
        ({"go": "  "}, "is no name for a label"),
        ({"go": "x" * 51}, "1 to 50 characters"),
        ({"gone": "x"}, "Extra inputs"),
    ],
)
def test_labels_that_cannot_work_are_named(labels: dict[str, str], why: str) -> None:
    (problem,) = PLUGIN.options.problems({"labels": labels})
    assert problem.path[0] == "labels"
    assert why in problem.text


def test_where_our_credentials_go_and_whom_it_obeys_counts_only_in_a_trusted_file() -> None:
    assert {"apiUrl", "tokenEnv", "app", "queue", "trustedBots"} <= set(PLUGIN.runs_code)
