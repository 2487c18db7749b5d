"""A yes is asked for, and bound to what was shown."""

from __future__ import annotations

import io

import pytest
from typing_extensions import override

from bot.actions import registry
from bot.actions.action import Action
from bot.chat.message import Button, Message
from bot.frontends.shell import confirm
from bot.frontends.shell.console import Console
from orchestrator.errors import AoError, BadInput

MERGE, KILL, SEND = (registry.load(verb) for verb in ("merge", "kill", "send"))
HEAD = "a" * 40
SHOWN = Message(
    title="Merge demo-1?",
    buttons=(Button(label="Merge", verb="merge", arguments={"session": "demo-1", "head": HEAD}),),
)


class Person(Console):
    """Somebody who answers."""

    def __init__(self, answer: bool | None) -> None:
        super().__init__(out=io.StringIO(), err=io.StringIO())
        self._answer = answer

    @property
    @override
    def can_ask(self) -> bool:
        return self._answer is not None

    @override
    def ask(self, message: Message, question: str) -> bool:
        assert message == SHOWN
        return self._answer is True


def test_most_verbs_ask_nothing() -> None:
    assert confirm.needed(SEND, {}, Person(None), yes=False) is None


def test_a_yes_is_bound_to_the_head_that_was_shown() -> None:
    asking = confirm.needed(MERGE, {"session": "1"}, Person(True), yes=False)
    assert asking
    assert asking(SHOWN, {"session": "1"}) == {"session": "demo-1", "head": HEAD}


def test_a_typed_head_stands() -> None:
    asking = confirm.needed(MERGE, {}, Person(True), yes=False)
    assert asking
    assert asking(SHOWN, {"head": "b" * 12})["head"] == "b" * 12


def test_anything_but_yes_does_nothing() -> None:
    asking = confirm.needed(KILL, {}, Person(False), yes=False)
    assert asking
    with pytest.raises(AoError, match="Nothing was done"):
        asking(SHOWN, {})


def test_scripts_say_yes_beforehand_with_the_head() -> None:
    assert confirm.needed(MERGE, {"head": HEAD}, Person(None), yes=True) is None
    assert confirm.needed(KILL, {}, Person(None), yes=True) is None
    with pytest.raises(BadInput, match="needs the head"):
        confirm.needed(MERGE, {}, Person(None), yes=True)


@pytest.mark.parametrize("action", [MERGE, KILL])
def test_where_nobody_can_answer_it_is_refused(action: Action) -> None:
    asking = confirm.needed(action, {}, Person(None), yes=False)
    assert asking  # whatever is missing is found while the facts are gathered
    with pytest.raises(BadInput, match="nobody can answer"):
        asking(SHOWN, {})


def test_where_nothing_is_at_risk_nothing_is_asked() -> None:
    cleanup = registry.load("cleanup")
    asking = confirm.needed(cleanup, {}, Person(None), yes=False)
    assert asking
    assert asking(Message(title="nothing"), {"project": "demo"}) == {"project": "demo"}
    with pytest.raises(BadInput, match="nobody can answer"):
        asking(SHOWN, {})
    assert confirm.needed(cleanup, {}, Person(None), yes=True) is None
