from __future__ import annotations

from pathlib import Path

from orchestrator.settings.document import Data
from orchestrator.settings.environment import Expansion
from orchestrator.settings.problems import Spots


def expansion(**variables: str) -> Expansion:
    return Expansion(variables, Spots(Path("a.yaml")))


def test_variables_are_put_in_at_any_depth_and_remembered() -> None:
    one = expansion(A="x", B="y")
    assert one.expand({"k": ["${A}-${B}", {"z": "${A}"}], "n": 3}) == {"k": ["x-y", {"z": "x"}], "n": 3}
    assert one.used == {"A": "x", "B": "y"}
    assert not one.problems


def test_a_missing_and_an_empty_variable_are_named() -> None:
    one = expansion(EMPTY="")
    one.expand({"a": "${GONE}", "b": "${EMPTY}"})
    assert [(p.path, p.message) for p in one.problems] == [
        ("a", "The environment variable GONE is not set."),
        ("b", "The environment variable EMPTY is empty."),
    ]


def test_defaults_and_literals() -> None:
    one = expansion(SET="1")
    assert one.expand({"a": "${X:-d}", "b": "$${X}", "c": "${SET:-d}", "d": "${X:-}", "e": "$X"}) == {
        "a": "d", "b": "${X}", "c": "1", "d": "", "e": "$X",
    }  # fmt: skip
    assert not one.problems


def test_what_is_no_name_is_a_problem() -> None:
    one = expansion()
    one.expand({"a": "${a b}"})
    assert "no name of a variable" in one.problems[0].message


def test_commands_rules_and_messages_stay_word_for_word() -> None:
    one = expansion(SPARE="s")
    data: Data = {
        "postCreate": ["echo ${SPARE}"],
        "post_create": ["${X}"],
        "scm": {"checks": {"t": "${SPARE}"}},
        "agentRules": "${SPARE}",
        "reactions": {"ci-failed": {"message": "${SPARE}"}},
        "agentConfig": {"launch": ["${SPARE}"]},
    }
    assert one.expand(data) == data
    assert not one.used
