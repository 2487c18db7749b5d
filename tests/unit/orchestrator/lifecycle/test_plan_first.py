"""Plan first: the agent is told to have its plan approved, and waits for a person's word."""

from __future__ import annotations

from orchestrator.domain.activity import ActivityState
from orchestrator.domain.agent_request import APPROVE_PLAN
from orchestrator.domain.person import OWNER
from orchestrator.services.answer import answer
from orchestrator.services.spawn import SpawnAsk, spawn
from orchestrator.testing.ring import Ring


async def test_it_is_told_to_plan_first_only_where_that_is_wanted(ring: Ring) -> None:
    one = await ring.spawn("1")
    two = (await spawn(ring.core, SpawnAsk(project="demo", issue="2", plan=True), by=OWNER)).id
    await ring.settle()
    assert "--plan-file" not in ring.agent.tasks[one].prompt
    assert "--plan-file" in ring.agent.tasks[two].prompt


async def test_a_plan_is_a_question_that_is_approved_or_changed_in_words(ring: Ring) -> None:
    one = await ring.spawn()
    ring.agent.says(one, ActivityState.BUSY)
    first = ring.ask(one, "ask", "--plan", "1. This\n2. That")
    await ring.settle()
    question = ring.session(one).question
    assert question is not None
    assert question.text == "Its plan: 1. This\n2. That"
    assert question.options == (APPROVE_PLAN,)
    await answer(ring.core, one, "leave 2 out", by=OWNER)
    await ring.settle()
    assert ring.answer(one, first) == "0\nleave 2 out\n"
    second = ring.ask(one, "ask", "--plan", "1. This")
    await ring.settle()
    await answer(ring.core, one, "1", by=OWNER)
    await ring.settle()
    assert ring.answer(one, second) == f"0\n{APPROVE_PLAN}\n"


async def test_an_empty_plan_is_refused(ring: Ring) -> None:
    one = await ring.spawn()
    request = ring.ask(one, "ask", "--plan", " ")
    await ring.settle()
    assert "The plan is empty" in ring.answer(one, request)
