"""Answers to dialogs: what the hook that waits is told, which keys choose the same, what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.domain.activity import Dialog, ToolCall
from orchestrator.domain.policy import PERMISSION_OPTIONS
from orchestrator.errors import BadInput
from orchestrator.ports.agent import AnswerFile
from orchestrator.ports.runtime import Keys, Text
from orchestrator.testing.fakes.place import FakePlace
from plugins._shared.agent_answers import Shown, answer_of, verdict_text
from plugins._shared.agent_dialogs import Pending
from plugins._shared.profile_looks import DialogRule
from tests.unit.plugins._shared.claude_code import PROFILE, SESSION

RUN = Dialog(
    id="leave:1",
    text="It wants to run Bash: ls",
    options=PERMISSION_OPTIONS,
    call=ToolCall(tool="Bash", argument="ls", shell=True),  # noqa: S604 - it is data
)
NO, YES, LEAVE = PROFILE.dialogs
QUESTION = {"question": "One or two?", "options": [{"label": "One"}, {"label": "Two"}]}
ASK = Dialog(id="question:1", text="One or two?", options=("One", "Two"))
ARGUMENTS: dict[str, Any] = {"questions": [QUESTION]}


def _give(dialog: Dialog, answer: str, *, hook: bool = True, rule: DialogRule | None = None) -> Any:
    pending = Pending(event="7.json", tool="Bash", arguments=ARGUMENTS) if hook else None
    return answer_of(PROFILE, SESSION, FakePlace(), Shown(dialog=dialog, pending=pending, rule=rule), answer)


def _decision(given: object) -> Any:
    assert isinstance(given, AnswerFile)
    assert given.path == "/session/agent/answers/7.json"
    output = json.loads(given.data)["hookSpecificOutput"]
    assert output["hookEventName"] == "PermissionRequest"
    return output["decision"]


@pytest.mark.parametrize(
    ("answer", "decision", "keys"),
    [
        ("Allow once", {"behavior": "allow"}, ("1",)),
        ("Allow always", {"behavior": "allow"}, ("1",)),
        ("Deny", {"behavior": "deny", "message": "A person said no."}, ("Escape",)),
        ('Deny: use "make {input}"\nplease', {"behavior": "deny", "message": 'use "make {input}"\nplease'}, ("Escape",)),
    ],
)  # fmt: skip
def test_the_hook_is_told_and_the_keys_choose_the_same(
    answer: str, decision: dict[str, str], keys: tuple[str, ...]
) -> None:
    given = _give(RUN, answer, rule=LEAVE)
    assert _decision(given) == decision
    assert given.otherwise == Keys(keys=keys)


@pytest.mark.parametrize(("dialog", "rule"), [(RUN, None), (RUN, NO), (ASK, LEAVE), (ASK, NO)])
def test_no_key_is_offered_where_something_else_stands_on_the_screen(
    dialog: Dialog, rule: DialogRule | None
) -> None:
    assert _give(dialog, dialog.options[0], rule=rule).otherwise is None


@pytest.mark.parametrize("answer", ["", "perhaps", "Allow", "yes", "5", "allow once please"])
def test_what_the_dialog_does_not_offer_is_refused(answer: str) -> None:
    with pytest.raises(BadInput, match="no answer to this dialog"):
        _give(RUN, answer)


@pytest.mark.parametrize(
    ("answer", "words", "keys"),
    [("Two", "Two", ("2",)), ("two", "Two", ("2",)), ("2", "Two", ("2",)), ("neither", "neither", None)],
)
def test_a_question_is_answered_by_an_option_or_in_words(
    answer: str, words: str, keys: tuple[str, ...] | None
) -> None:
    given = _give(ASK, answer)
    assert _decision(given) == {
        "behavior": "allow",
        "updatedInput": {**ARGUMENTS, "answers": {"One or two?": words}},
    }
    assert given.otherwise == (Keys(keys=keys) if keys else None)


def test_a_dialog_on_the_screen_is_answered_as_it_stands_now() -> None:
    trust = Dialog(id="trust:1", text="Is it trusted?", options=tuple(c.label for c in NO.choices))
    answer = "Yes, I trust this folder"
    assert _give(trust, answer, hook=False, rule=NO) == Keys(keys=("Down",))
    assert _give(trust, answer, hook=False, rule=YES) == Keys(keys=("Enter",))
    with pytest.raises(BadInput):
        _give(trust, "perhaps", hook=False, rule=NO)


def test_a_question_without_options_gets_words() -> None:
    assert _give(Dialog(id="event:1", text="What name?"), "Ada", hook=False) == Text(text="Ada")


def test_a_verdict_has_its_reason() -> None:
    assert PROFILE.verdicts is not None
    said = json.loads(verdict_text(PROFILE.verdicts.deny, 'rule "Bash(rm *)" {reason}'))
    assert said == {
        "hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "permissionDecision": "deny",
            "permissionDecisionReason": 'rule "Bash(rm *)" {reason}',
        }
    }
    for template, word in ((PROFILE.verdicts.allow, "allow"), (PROFILE.verdicts.ask, "ask")):
        assert json.loads(verdict_text(template, ""))["hookSpecificOutput"]["permissionDecision"] == word
