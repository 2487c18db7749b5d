"""What a person is told who answered an agent."""

from __future__ import annotations

import pytest

from orchestrator.domain.activity import ToolCall
from orchestrator.domain.agent_request import APPROVE_PLAN, PLAN_ANSWERS
from orchestrator.domain.policy import PERMISSION_OPTIONS
from orchestrator.domain.session import Question
from orchestrator.testing import examples
from tests.unit.bot.house import Ask, House, data

CALL = ToolCall(tool="Bash", argument="git status", shell=True)  # noqa: S604 - a description of a call
LEAVE = Question(id="q1", text="?", asked_at=0.0, options=PERMISSION_OPTIONS, source="dialog", call=CALL)


@pytest.mark.parametrize(
    ("said", "scope"), [("2", "in project demo"), ("allow always in this session", "in session demo-1")]
)
async def test_allowed_always_names_the_rule_and_where_it_holds(
    house: House, ask: Ask, said: str, scope: str
) -> None:
    house.fleet.put(examples.session(id="demo-1", questions=(LEAVE,)))
    message = await ask("answer", session="demo-1", text=said)
    assert message.title == f"💬 demo-1 is answered: Allow always {scope}"
    assert message.lines == (f"The rule: allow Bash(git status) {scope}",)
    [kept] = house.core.store.policy.rules
    assert message.next_steps == (f"rules rm {kept.id}",)
    assert data(message)["rule"] == {"id": kept.id, "rule": "Bash(git status)", "scope": kept.scope}


async def test_allowed_once_keeps_nothing(house: House, ask: Ask) -> None:
    house.fleet.put(examples.session(id="demo-1", questions=(LEAVE,)))
    message = await ask("answer", session="demo-1", text="1")
    assert (message.title, message.lines) == ("💬 demo-1 is answered: Allow once", ())
    assert "rule" not in data(message)


async def test_a_plan_is_shown_as_written_and_free_text_is_said_to_change_it(house: House, ask: Ask) -> None:
    plan = Question(id="q1", text="Its plan: Greet.\n1. This\n2. That", asked_at=0.0, options=(APPROVE_PLAN,))
    house.fleet.put(examples.session(id="demo-1", questions=(plan,)))
    lines = (await ask("status", session="demo-1")).lines
    assert lines[-5:] == (
        "Its plan: Greet.",
        "1. This",
        "2. That",
        f"  1. {APPROVE_PLAN}",
        f"  {PLAN_ANSWERS}",
    )
