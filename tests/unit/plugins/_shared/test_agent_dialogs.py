"""What people are shown of an agent's question, and when it counts as another one."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.domain.activity import Dialog, ToolCall
from orchestrator.domain.policy import PERMISSION_OPTIONS
from plugins._shared.agent_dialogs import Pending, answered, call_of, dialog_of
from plugins._shared.agent_signals import AgentEvent
from plugins._shared.profile_signals import EventKind
from tests.unit.plugins._shared.claude_code import PROFILE


def _leave(tool: str, name: str = "1.json", **arguments: Any) -> Dialog:
    event = AgentEvent(kind=EventKind.PERMISSION, at=1.0, name=name, tool=tool, arguments=arguments)
    dialog, pending = dialog_of(PROFILE, EventKind.PERMISSION, event)
    assert pending == Pending(event=name, tool=tool, arguments=arguments)
    return dialog


def _question(
    text: str = "One or two?", *, many: bool = False, labels: tuple[str, ...] = ("One", "Two")
) -> Any:
    options = [{"label": label, "description": f"as {label}"} for label in labels]
    return {"question": text, "header": "Words", "multiSelect": many, "options": options}


def _asks(*questions: Any, name: str = "1.json") -> Dialog:
    event = AgentEvent(
        kind=EventKind.ASKING,
        at=1.0,
        name=name,
        tool="AskUserQuestion",
        arguments={"questions": list(questions)},
    )
    return dialog_of(PROFILE, EventKind.ASKING, event)[0]


@pytest.mark.parametrize(
    ("tool", "arguments", "text"),
    [
        ("Bash", {"command": "make test", "description": "Run it"}, "It wants to run Bash: make test\n(Run it)"),
        ("Write", {"file_path": "/a.py", "content": "x = 1\ny = 2\n"}, "It wants to run Write: /a.py\n+ x = 1\n+ y = 2"),
        ("Edit", {"file_path": "/a.py", "old_string": "x", "new_string": "y"}, "It wants to run Edit: /a.py\n- x\n+ y"),
        ("mcp__x__y", {"b": 1, "a": "ü"}, 'It wants to run mcp__x__y: {"a": "ü", "b": 1}'),
        ("Bash", {}, "It wants to run Bash: null"),
    ],
)  # fmt: skip
def test_leave_shows_what_is_wanted(tool: str, arguments: dict[str, Any], text: str) -> None:
    dialog = _leave(tool, **arguments)
    assert (dialog.text, dialog.options) == (text, PERMISSION_OPTIONS)


def test_what_is_shown_is_clean_and_bounded_and_what_is_judged_is_whole() -> None:
    command = "rm \x1b[31m-rf\u202e x\x07 " + "a" * 50_000
    dialog = _leave("Bash", command=command, description="d\u2066\n" * 500)
    assert len(dialog.text) < 2_000
    assert not set("\x1b\x07\u202e\u2066") & set(dialog.text)
    assert dialog.call == ToolCall(tool="Bash", argument=command, shell=True)  # noqa: S604 - it is data
    written = _leave("Write", file_path="/a", content="\x1b]0;title\x07line\u202e\n" * 10_000)
    assert len(written.text) < 3_000
    assert not set("\x1b\x07\u202e") & set(written.text)


def test_a_call_whose_argument_is_no_text_is_matched_as_json() -> None:
    assert call_of(PROFILE, "Bash", {"command": ["ls", "-l"]}).argument == '["ls", "-l"]'


def test_one_question_offers_its_options() -> None:
    dialog = _asks(_question())
    assert dialog.text == "One or two?\n- One: as One\n- Two: as Two"
    assert (dialog.options, dialog.call) == (("One", "Two"), None)


def test_several_questions_are_asked_each_with_its_own_options() -> None:
    dialog = _asks(_question(), _question("And where?", labels=("Here", "There"), many=True))
    assert dialog.options == ("One", "Two")
    (further,) = dialog.further
    assert (further.options, further.many) == (("Here", "There"), True)
    assert further.text.startswith("And where?\n- Here: as Here")
    assert "Several may be chosen" in further.text


@pytest.mark.parametrize("wrong", [[7], [None, "x"], [{}], [{"question": 5, "options": [1]}]])
def test_questions_of_another_shape_still_ask(wrong: list[Any]) -> None:
    assert _asks(*wrong).text


def test_an_answer_gives_the_agents_own_words_back() -> None:
    raw = {"questions": [_question(labels=("One\u202e  word", "Two"))], "other": 1}
    dialog = _asks(*raw["questions"])  # type: ignore[misc]
    assert dialog.options == ("One word", "Two")
    pending = Pending(event="1.json", tool="AskUserQuestion", arguments=raw)
    assert answered(pending, ["One word"]) == {**raw, "answers": {"One or two?": "One\u202e  word"}}
    assert answered(pending, ["neither"])["answers"] == {"One or two?": "neither"}


def test_each_question_gets_its_own_answer() -> None:
    many = _question("Which?", many=True, labels=("A, B", "A", "C\u202e"))
    raw = {"questions": [_question(), many]}
    pending = Pending(event="1.json", tool="AskUserQuestion", arguments=raw)
    answers = answered(pending, ["Two", "A, B, C"])["answers"]
    assert answers == {"One or two?": "Two", "Which?": "A, B, C\u202e"}
    own = answered(pending, ["Two", "none, really"])["answers"]
    assert own["Which?"] == "none, really"


def test_another_question_is_another_dialog() -> None:
    ids = [
        _leave("Bash", command="ls").id,
        _leave("Bash", command="rm").id,
        _leave("Bash", command="ls", name="2.json").id,
        _leave("Write", file_path="/a", content="x").id,
        _leave("Write", file_path="/a", content="y").id,
        _asks(_question()).id,
        _asks(_question("Other?")).id,
        _asks(_question(labels=("One", "Three"))).id,
        _asks(_question(), name="2.json").id,
    ]
    assert len(set(ids)) == len(ids)
    assert _leave("Bash", command="ls").id == ids[0]
