# ruff: noqa: RUF001 - the letters that a phone writes
"""Words become arguments, however a phone wrote them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.actions import grammar, registry
from orchestrator.errors import BadInput


def shell(line: str, *, in_thread: bool = False) -> tuple[str, Any]:
    words = grammar.split(line)
    action, count = registry.find([word.text for word in words])
    return action.verb, grammar.parse(action, line, words[count:], in_thread=in_thread)


@pytest.mark.parametrize(
    ("line", "verb", "arguments"),
    [
        ("spawn demo 1", "spawn", {"project": "demo", "issue": "1"}),
        ("SPAWN demo #1", "spawn", {"project": "demo", "issue": "1"}),
        (
            "spawn demo 1 but keep it small",
            "spawn",
            {"project": "demo", "issue": "1", "words": "but keep it small"},
        ),
        ("spawn demo 1 —again", "spawn", {"project": "demo", "issue": "1", "again": True}),
        ("spawn demo 1 –agent=other", "spawn", {"project": "demo", "issue": "1", "agent": "other"}),
        ("spawn —agent other demo 1", "spawn", {"project": "demo", "issue": "1", "agent": "other"}),
        ("merge Demo-1", "merge", {"session": "demo-1"}),
        ("Merge #12 —head AAAAAAAAAAAA", "merge", {"session": "12", "head": "aaaaaaaaaaaa"}),
        ("merge demo-1 --head 7e0bf5a", "merge", {"session": "demo-1", "head": "7e0bf5a"}),
        ("send demo-1 be  brief", "send", {"session": "demo-1", "text": "be  brief"}),
        ("send demo-1 two\nlines", "send", {"session": "demo-1", "text": "two\nlines"}),
        ("send demo-1 “say it”", "send", {"session": "demo-1", "text": "say it"}),
        ("send demo-1 “don’t use --force”", "send", {"session": "demo-1", "text": "don’t use --force"}),
        ("send demo-1 -- don’t use --force", "send", {"session": "demo-1", "text": "don’t use --force"}),
        ("send demo-1 a - b, -v, x--y -- --", "send", {"session": "demo-1", "text": "a - b, -v, x--y --"}),
        ("send demo-1 -- --question", "send", {"session": "demo-1", "text": "--question"}),
        ("answer demo-2 2", "answer", {"session": "demo-2", "text": "2"}),
        ("answer demo-2 yes —question q1", "answer", {"session": "demo-2", "text": "yes", "question": "q1"}),
        ("claim 12", "claim", {"number": 12}),
        ("claim demo #12".replace("#", ""), "claim", {"project": "demo", "number": 12}),
        ("batch-spawn demo 1,2 #3", "batch-spawn", {"project": "demo", "issues": ("1", "2", "3")}),
        ("pause —all", "pause", {"all": True}),
        ("ls", "status", {}),
        ("rescue SHOW demo-4", "rescue show", {"ref": "demo-4"}),
        ("Rescues", "rescue ls", {}),
        (
            "kill https://forge.example/o/r/pull/12",
            "kill",
            {"session": "https://forge.example/o/r/pull/12"},
        ),
    ],
)
def test_a_line_is_read(line: str, verb: str, arguments: Any) -> None:
    assert shell(line) == (verb, arguments)


@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        ("answer yes please", {"text": "yes please"}),
        ("answer 2", {"text": "2"}),
        ("answer demo-3 yes", {"session": "demo-3", "text": "yes"}),
        ("kill", {}),
        ("request-changes name it —head aaaaaaaaaaaa", {"text": "name it", "head": "aaaaaaaaaaaa"}),
    ],
)
def test_in_a_thread_the_session_is_left_out(line: str, arguments: Any) -> None:
    assert shell(line, in_thread=True)[1] == arguments


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "Nothing was asked"),
        ("spawnn demo 1", "spawn"),
        ("rescue", "rescue show"),
        ("kill demo-1 demo-2", "one word too many: kill takes one session"),
        ("kill --force", "no option '--force'"),
        ("spawn demo 3 --again --frobnicate", "no option '--frobnicate'"),
        ("spawn demo 3 keep it small --agnet other", "no option '--agnet'"),
        ("send demo-1 don’t use --force", "behind ` -- `"),
        ("merge demo-1 --head", "needs a value"),
        ("merge demo-1 --head main", "no commit"),
        ("merge demo-1 --head 7e0bf5", "at least 7"),
        ("claim demo twelve", "is a number"),
        ("send demo-1", "needs text"),
        ("batch-spawn", "needs issues"),
        ("completion tcsh", "bash"),
        ("send demo-1 " + "x" * 20_001, "longer than"),
    ],
)
def test_what_cannot_be_read_says_why_and_how(line: str, says: str) -> None:
    with pytest.raises(BadInput) as error:
        shell(line)
    assert says in str(error.value)
    assert error.value.next_step


@given(st.text(max_size=200))
def test_any_line_is_read_or_refused_with_words(line: str) -> None:
    try:
        verb, _ = shell(line)
    except BadInput as error:
        verb = error.what
    assert verb


@given(st.lists(st.text(min_size=1, max_size=20), max_size=6))
def test_any_argument_list_is_read_or_refused(words: Any) -> None:
    action = registry.load("spawn")
    try:
        found = grammar.parse_arguments(action, words)
    except BadInput:
        return
    assert set(found) <= {argument.name for argument in action.arguments}


@pytest.mark.parametrize(
    ("verb", "given", "says"),
    [
        ("kill", {"sess": "demo-1"}, "no argument"),
        ("pause", {"all": "yes"}, "true or false"),
        ("batch-spawn", {"issues": "1"}, "list of words"),
        ("send", {"session": ["a"], "text": "x"}, "is a text"),
        ("send", {"session": "demo-1"}, "needs text"),
        ("output", {"lines": "many"}, "is a number"),
        ("kill", {"session": "a\0b"}, "NUL"),
    ],
)
def test_arguments_by_name_are_held_to_the_same_rules(verb: str, given: Any, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        grammar.check(registry.load(verb), given)


def test_arguments_by_name_are_read_alike() -> None:
    found = grammar.check(
        registry.load("batch-spawn"), {"project": "demo", "issues": ["#1", 2], "agent": None}
    )
    assert found == {"project": "demo", "issues": ("1", "2")}
