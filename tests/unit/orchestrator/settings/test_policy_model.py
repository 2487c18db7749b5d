"""Policies in a configuration: checked as they are read, and the project's added to the fleet's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from orchestrator.settings.loader import Loaded
from orchestrator.settings.problems import Grade

Write = Callable[..., Loaded]


def test_the_projects_rules_are_added_to_the_fleets(write: Write) -> None:
    loaded = write(
        "policy: {deny: [Bash(rm *)], allow: [Bash(ls)]}\n"
        "projects:\n"
        "  a: {path: x, policy: {deny: [Edit, Bash(rm *)], ask: ['Bash(echo ${HOME}*)']}}\n"
        "  b: {path: y}\n"
    )
    one, two = (loaded.require().rules(name).policy for name in ("a", "b"))
    assert [str(rule) for rule in (*one.deny, *one.ask, *one.allow)] == [
        "deny Bash(rm *)",
        "deny Edit",
        "ask Bash(echo ${HOME}*)",
        "allow Bash(ls)",
    ]
    assert [str(rule) for rule in (*two.deny, *two.ask, *two.allow)] == ["deny Bash(rm *)", "allow Bash(ls)"]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("'Bash('", "no rule: write Tool or Tool(pattern)"),
        ("rm -rf", "no rule: write Tool or Tool(pattern)"),
        ("Bash()", "says nothing between its brackets"),
        ("{a: b}", "this should be a valid string"),
    ],
)
def test_what_is_no_rule_is_an_error_with_its_line_and_path(rule: str, words: str, write: Write) -> None:
    loaded = write(
        f"projects:\n  a:\n    path: x\n    policy:\n      deny:\n        - Bash(ls)\n        - {rule}\n"
    )
    [error] = loaded.errors
    assert (error.line, error.path) == (7, "projects.a.policy.deny[1]")
    assert words.lower() in error.message.lower()


def test_unknown_list_names_the_nearest(write: Write) -> None:
    [error] = write("policy: {denny: []}").errors
    assert (error.path, error.nearest) == ("policy.denny", "deny")


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("Read(~/.ssh/*)", "`~` is none"),
        ("Write(src/../secret/*)", "without `.` and `..`"),
        ("Write(/./etc/*)", "without `.` and `..`"),
        ("Read(//etc/*)", "doubled slashes"),
        ("Edit(/no-such-folder/*)", "begins at the session's workspace"),
    ],
)
def test_rule_that_can_never_hold_is_warned_of_with_its_line(rule: str, words: str, write: Write) -> None:
    loaded = write(
        f"projects:\n  a:\n    path: .\n    policy:\n      deny:\n        - Bash(ls)\n        - {rule}\n"
    )
    assert not loaded.errors
    [problem] = loaded.problems
    assert (problem.grade, problem.line, problem.path) == (Grade.WARNING, 7, "projects.a.policy.deny[1]")
    assert f"{rule} never holds" in problem.message
    assert words in problem.message


@pytest.mark.parametrize(
    "rule",
    [
        "Write(secret/*)",
        "Write(./secret/*)",
        "Write(/etc/*)",
        "Write(*/x)",
        "Bash(~/x *)",
        "WebFetch(https://a/*)",
        "Edit",
        "Write(/*)",
    ],
)
def test_rule_that_can_hold_is_not_warned_of(rule: str, write: Write) -> None:
    assert not write(f"policy: {{deny: ['{rule}']}}").problems
