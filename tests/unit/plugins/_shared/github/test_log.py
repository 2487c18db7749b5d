"""From a job's log the agent gets the failing step's last lines, and nothing else."""

from __future__ import annotations

from plugins._shared.github import log as github_log
from tests.unit.plugins._shared.github.nodes import Node

JOB = {
    "steps": [
        {"name": "Set up job", "conclusion": "success", "started_at": "2026-01-01T10:00:00Z", "completed_at": "2026-01-01T10:00:01Z"},
        {"name": "Run tests", "conclusion": "failure", "started_at": "2026-01-01T10:00:01Z", "completed_at": "2026-01-01T10:00:03Z"},
        {"name": "Post checkout", "conclusion": "success", "started_at": "2026-01-01T10:00:03Z", "completed_at": "2026-01-01T10:00:04Z"},
    ]
}  # fmt: skip
ROWS = (
    "\ufeff2026-01-01T10:00:00.1000000Z Requested labels: ubuntu-latest",
    "2026-01-01T10:00:01.0000000Z ##[group]Run actions/checkout@v5",
    "2026-01-01T10:00:01.1000000Z ##[endgroup]",
    "2026-01-01T10:00:01.2000000Z ##[group]Run pytest",
    "2026-01-01T10:00:01.3000000Z \x1b[36;1mpytest\x1b[0m",
    "2026-01-01T10:00:01.4000000Z ##[endgroup]",
    "2026-01-01T10:00:02.0000000Z E   assert 1 == 2",
    "a line without a time",
    "2026-01-01T10:00:03.0000000Z ##[error]Process completed with exit code 1.",
    "2026-01-01T10:00:03.5000000Z Post job cleanup.",
    "2026-01-01T10:00:04.0000000Z Cleaning up orphan processes",
)
LOG = "\n".join(ROWS)


def test_the_failing_step_is_shown_without_times_colours_and_what_comes_after() -> None:
    step = github_log.failing_step(JOB)
    assert github_log.tail(LOG, step) == (
        "[step Run tests]\nRun pytest\npytest\nE   assert 1 == 2\na line without a time\n"
        "error: Process completed with exit code 1."
    )


def test_without_steps_the_part_with_the_last_error_is_shown() -> None:
    assert github_log.failing_step({"steps": []}) is None
    assert github_log.tail(LOG, None).startswith("Run pytest\n")
    assert github_log.tail("only\nlines", None) == "only\nlines"


def test_a_long_log_is_bounded_and_its_end_kept() -> None:
    rows = [f"2026-01-01T10:00:02.0000000Z line {n} {'x' * 500}" for n in range(5000)]
    tail = github_log.tail("\n".join(rows), None)
    assert len(tail) <= github_log.LENGTH
    assert tail.endswith(f"line 4999 {'x' * 500}")


def test_secrets_in_a_log_are_masked() -> None:
    assert "ghp_" not in github_log.tail(f"2026-01-01T10:00:02.0Z token ghp_{'a' * 36}", None)


def test_a_cancelled_step_counts_as_the_one_that_failed() -> None:
    step = github_log.failing_step({"steps": [None, {"name": "Deploy", "conclusion": "cancelled"}]})
    assert step is not None
    assert (step.name, step.began) == ("Deploy", 0.0)


def test_annotations_name_file_and_line() -> None:
    rows: list[Node] = [
        {"path": "src/a.py", "start_line": 4, "annotation_level": "failure", "title": "F401", "message": "unused"},
        {"path": ".github", "annotation_level": "failure", "message": "exit code 1"},
    ]  # fmt: skip
    assert github_log.remarks(rows) == "src/a.py:4: failure: F401 unused\n.github: failure: exit code 1"


def test_a_checks_own_words_are_the_last_resort() -> None:
    assert (
        github_log.output({"output": {"title": "2 problems", "summary": "a\nb", "text": None}})
        == "2 problems\na\nb"
    )
    assert github_log.output({}) == ""
