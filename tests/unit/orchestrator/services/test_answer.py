"""Answers are bound to a question; the first one counts."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from orchestrator.domain.activity import ActivityState, Dialog
from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import OWNER
from orchestrator.errors import BadInput, Conflict, NotFound
from orchestrator.services.answer import answer
from orchestrator.testing import examples as ex
from orchestrator.testing.ring import Ring


async def asking(ring: Ring, *options: str) -> tuple[SessionId, str]:
    one = await ring.spawn()
    ring.agent.says(one, ActivityState.BUSY)
    words = [word for option in options for word in ("--option", option)]
    ring.ask(one, "ask", "Which?", *words)
    await ring.settle()
    question = ring.session(one).question
    assert question is not None
    return one, question.id


@pytest.mark.parametrize(
    ("typed", "taken"),
    [("2", "blue"), ("RED", "red"), ("blue", "blue"), (" green ", "green"), ("x 2", "x 2")],
)
async def test_option_is_picked_by_number_or_word_and_free_words_are_taken(
    ring: Ring, typed: str, taken: str
) -> None:
    one, _ = await asking(ring, "red", "blue")
    assert (await answer(ring.core, one, typed, by=OWNER)).answer == taken


@pytest.mark.parametrize(
    ("typed", "taken"),
    [
        ("1,3", "red, pale, blue"),
        ("3 1", "red, pale, blue"),
        ("2", "green"),
        ("green, RED", "red, green"),
        ("pale, blue", "pale, blue"),
        ("red and green", "red and green"),
    ],
)
async def test_several_options_are_picked_where_several_may_be_chosen(
    ring: Ring, typed: str, taken: str
) -> None:
    dialog = Dialog(id="question:1", text="Which?", options=("red", "green", "pale, blue"), many=True)
    one = await ring.spawn()
    ring.agent.says(one, ActivityState.ASKING, dialog=dialog)
    await ring.look(one)
    with pytest.raises(BadInput, match="3 options, not 4"):
        await answer(ring.core, one, "1, 4", by=OWNER)
    assert (await answer(ring.core, one, typed, by=OWNER)).answer == taken


async def test_number_is_a_number_where_there_are_no_options(ring: Ring) -> None:
    one, _ = await asking(ring)
    assert (await answer(ring.core, one, "42", by=OWNER)).answer == "42"


async def test_number_that_is_no_option_and_empty_words_are_refused(ring: Ring) -> None:
    one, _ = await asking(ring, "red", "blue")
    for wrong in ("3", "0", "  ", "\x00"):
        with pytest.raises(BadInput):
            await answer(ring.core, one, wrong, by=OWNER)
    assert ring.session(one).question is not None


async def test_option_that_is_called_by_a_number_wins(ring: Ring) -> None:
    one, _ = await asking(ring, "2", "1")
    assert (await answer(ring.core, one, "1", by=OWNER)).answer == "1"


async def test_second_answer_is_told_who_was_first(ring: Ring) -> None:
    one, question = await asking(ring)
    await answer(ring.core, one, "yes", by=ex.ADA, question=question)
    with pytest.raises(Conflict, match="ada answered first, at"):
        await answer(ring.core, one, "no", by=OWNER, question=question)
    with pytest.raises(Conflict, match="asks nothing now: it is") as refused:
        await answer(ring.core, one, "no", by=OWNER)
    assert "ada" not in str(refused.value)


async def test_two_answers_at_once_are_one(ring: Ring) -> None:
    one, question = await asking(ring)
    both = [answer(ring.core, one, word, by=OWNER, question=question) for word in ("yes", "no")]
    results = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(r).__name__ for r in results) == ["Conflict", "Question"]


async def test_question_of_another_id_or_withdrawn_takes_no_answer(ring: Ring) -> None:
    one, question = await asking(ring)
    with pytest.raises(NotFound, match="no question q0"):
        await answer(ring.core, one, "yes", by=OWNER, question="q0")
    gone = tuple(replace(q, withdrawn=True) for q in ring.session(one).questions)
    await ring.fleet.change(one, lambda d: d.set(questions=gone))
    with pytest.raises(Conflict, match="went on without"):
        await answer(ring.core, one, "yes", by=OWNER, question=question)


async def test_session_that_is_not_there(ring: Ring) -> None:
    with pytest.raises(NotFound):
        await answer(ring.core, SessionId("demo-9"), "yes", by=OWNER)
