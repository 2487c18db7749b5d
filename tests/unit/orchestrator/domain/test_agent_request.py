"""Requests of agents: every form of damage is refused with words, every text is made harmless."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.agent_request import (
    MOST_BYTES,
    AgentRequest,
    Asks,
    Reports,
    SaysDone,
    WantsPullRequest,
    WantsPush,
    Wish,
    is_request_name,
    parse,
    wish,
)
from orchestrator.domain.ids import session_id
from orchestrator.errors import BadInput

DEMO = session_id("demo-1")
NAME = "1795474593-4711-aB3x"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def _ask(*fields: str) -> Wish:
    return wish(parse(DEMO, NAME, b"".join(field.encode() + b"\0" for field in fields)))


def test_a_request_is_its_fields() -> None:
    assert parse(DEMO, NAME, b"report\0half\0way\0") == AgentRequest(
        id=NAME, session=DEMO, verb="report", args=("half", "way"), at=1795474593.0
    )


@pytest.mark.parametrize(
    ("name", "data"),
    [
        (NAME, b""),
        (NAME, b"report"),
        (NAME, b"report\0cut of"),
        (NAME, b"x\0" * 65),
        (NAME, b"x" * MOST_BYTES + b"\0"),
        ("../../etc/passwd", b"done\0"),
        ("1795474593-4711", b"done\0"),
        (".1795474593-4711-a", b"done\0"),
    ],
)
def test_what_is_not_whole_is_refused(name: str, data: bytes) -> None:
    with pytest.raises(BadInput):
        parse(DEMO, name, data)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (["pr", "create"], WantsPullRequest(update=False)),
        (["pr", "create", "--draft"], WantsPullRequest(update=False, draft=True)),
        (["pr", "update", "--title=A  b", "--body", ""], WantsPullRequest(update=True, title="A b", body="")),
        (["push", COMMIT, "refs/heads/feat/1"], WantsPush(commit=COMMIT, branch="feat/1")),
        (["report", "one", "two"], Reports(text="one two")),
        (["report", "\x1b[31mred\x1b[0m"], Reports(text="red")),
        (["ask", "Which?", "--option", "a", "--option=b"], Asks(question="Which?", options=("a", "b"))),
        (["ask", "--", "--option", "is", "a", "word"], Asks(question="--option is a word")),
        (["ask", "Twice?", "--option", "a", "--option", "a"], Asks(question="Twice?", options=("a",))),
        (["done"], SaysDone()),
        (["done", "all", "good"], SaysDone(text="all good")),
    ],
)
def test_verbs_are_understood(fields: list[str], expected: Wish) -> None:
    assert _ask(*fields) == expected


@pytest.mark.parametrize(
    "fields",
    [
        [""],
        ["merge"],
        ["pr"],
        ["pr", "merge"],
        ["pr", "create", "--title"],
        ["pr", "create", "--title", "  "],
        ["pr", "create", "--force"],
        ["push"],
        ["push", COMMIT],
        ["push", "HEAD", "refs/heads/a"],
        ["push", COMMIT, "refs/tags/v1"],
        ["push", COMMIT, "refs/heads/--upload-pack=x"],
        ["push", COMMIT, "refs/heads/a", "gently"],
        ["report"],
        ["report", ""],
        ["ask"],
        ["ask", "--option", "a"],
        ["ask", "Which?", "--option"],
        ["ask", "Which?", "--option", ""],
        ["ask", "Which?", *[f"--option={n}" for n in range(11)]],
    ],
)
def test_mistakes_are_refused_with_words(fields: list[str]) -> None:
    with pytest.raises(BadInput) as refused:
        _ask(*fields)
    assert refused.value.what


def test_a_secret_in_a_report_is_masked() -> None:
    assert "hunter22" not in str(_ask("report", "login with password=hunter22"))


@given(st.binary(max_size=200))
def test_any_bytes_give_a_wish_or_a_refusal(data: bytes) -> None:
    with contextlib.suppress(BadInput):
        wish(parse(DEMO, NAME, data))


@given(st.text(max_size=40))
def test_names_of_requests_are_safe_as_file_names(name: str) -> None:
    if is_request_name(name):
        assert name.isascii()
        assert not {"/", "."} & set(name)


@pytest.mark.parametrize(
    ("plan", "shown"),
    [
        ("# Plan\n\n1. Greet", "Its plan: 1. Greet"),
        ("My plan:\nGreet", "Its plan: Greet"),
        ("Plan", "Its plan: Plan"),
        ("Greet\n# Plan\nx", "Its plan: Greet\n# Plan\nx"),
    ],
)
def test_a_plans_first_line_says_what_it_is_about(plan: str, shown: str) -> None:
    wanted = wish(parse(session_id("demo-1"), "1790000000-1-a", f"ask\0--plan\0{plan}\0".encode()))
    assert isinstance(wanted, Asks)
    assert wanted.question == shown
