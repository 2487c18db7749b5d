"""A button's short text: there and back, at most 100 characters, and nothing odd gets through."""

from __future__ import annotations

import pytest

from bot.chat import payload
from bot.chat.message import Button
from orchestrator.errors import BadInput

HEAD = "6474a6c1234567890" + "a" * 23
LONGEST_SESSION = "a" * 14 + "-1234567"


@pytest.mark.parametrize(
    ("button", "text"),
    [
        (
            Button(label="Merge", verb="merge", arguments={"session": "demo-1", "head": HEAD}),
            "1|merge|demo-1|h6474a6c12345",
        ),
        (
            Button(
                label="Two",
                verb="answer",
                arguments={"session": "demo-1", "question": "q12345678", "option": "2"},
            ),
            "1|answer|demo-1|qq12345678|o2",
        ),
        (Button(label="Kill", verb="kill", arguments={"session": "demo-1"}), "1|kill|demo-1"),
        (
            Button(label="Remove", verb="project rm", arguments={"project": "a|b"}),
            "1|project rm||=project=a%7Cb",
        ),
    ],
)
def test_there_and_back(button: Button, text: str) -> None:
    assert payload.encode(button) == text
    read = payload.read(text)
    assert read.verb == button.verb
    head = {"head": HEAD[:12]} if "head" in button.arguments else {}
    assert read.arguments == {**button.arguments, **head}


def test_the_longest_of_all_fits() -> None:
    arguments = {"session": LONGEST_SESSION, "head": HEAD, "question": "q12345678", "option": "12"}
    assert (
        len(payload.encode(Button(label="x", verb="request-changes", arguments=arguments))) <= payload.LONGEST
    )


def test_one_that_does_not_fit_is_refused_when_it_is_made() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        payload.encode(Button(label="x", verb="send", arguments={"session": "demo-1", "text": "x" * 90}))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1|merge",
        "0|merge|demo-1",
        "2|merge|demo-1",
        "1|Merge|demo-1",
        "1|merge|../../etc",
        "1|merge|demo-1|x",
        "1|merge|demo-1|=|",
        "1|merge|demo-1|=Na me=1",
        "1|merge|demo-1|+--",
        "1|merge|demo-1|h" + "a" * 100,
        '{"verb": "merge"}',
    ],
)
def test_what_is_none_of_ours_is_refused_in_words(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        payload.read(text)
    assert refused.value.next_step


def test_a_flag_is_true() -> None:
    assert payload.read("1|retry|demo-1|+send").arguments == {"session": "demo-1", "send": True}
