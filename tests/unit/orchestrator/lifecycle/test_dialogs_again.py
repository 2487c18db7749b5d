"""A dialog that stands on the screen again is a new question; one that still stands is not."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.domain.activity import ActivityState, Dialog
from orchestrator.domain.look import Seen
from orchestrator.domain.session import Intent, Session
from orchestrator.lifecycle import setup
from orchestrator.lifecycle.decide import STILL_THERE, decide
from orchestrator.lifecycle.draft import Draft
from orchestrator.lifecycle.observation import Observation
from orchestrator.ports.agent import AgentLook
from orchestrator.testing import examples as ex

OPEN_DIALOG = Dialog(id="d1", text="run make?", options=("yes", "no"))


def _dialog(session: Session, after: float, dialog: Dialog | None = OPEN_DIALOG) -> Session:
    state = ActivityState.BUSY if dialog is None else ActivityState.ASKING
    look = AgentLook(activity=ex.activity(state, dialog=dialog), signal_at=ex.NOW)
    draft = Draft(session, ex.NOW + after)
    decide(draft, Observation(agent=Seen(look)), ex.rules())
    return draft.session


def _delivered(session: Session, after: float) -> Session:
    *others, last = session.questions
    at = ex.NOW + after
    given = replace(last, answer="no", answered_at=at, delivered=True, delivered_at=at)
    return replace(session, questions=(*others, given))


def test_dialog_that_went_and_stands_again_is_a_new_question() -> None:
    answered = _delivered(_dialog(ex.session(), 0), 1)
    still = _dialog(answered, 2)
    assert still.question is None, "its answer was typed just now: it is merely still on the screen"
    again = _dialog(_dialog(still, 3, None), 4)
    assert again.question is not None
    first, second = again.questions
    assert (second.standing, second.open) == (first.standing, True)
    assert second.id != first.id
    assert not _dialog(again, 5).questions[2:], "it is asked once"


def test_dialog_that_was_withdrawn_and_stands_again_is_a_new_question() -> None:
    again = _dialog(_dialog(_dialog(ex.session(), 0), 1, None), 2)
    assert [q.open for q in again.questions] == [False, True]


def test_dialog_that_stays_although_its_answer_was_given_is_asked_again() -> None:
    answered = _delivered(_dialog(ex.session(), 0), 1)
    again = _dialog(answered, 1 + STILL_THERE + 1).question
    assert again is not None
    assert again.for_people, "a rule would give the same answer for ever"


def test_dialog_whose_answer_did_not_arrive_can_be_answered_again() -> None:
    asked = _dialog(ex.session(), 0)
    (question,) = asked.questions
    failed = replace(question, answer="no", answered_at=ex.NOW, withdrawn=True)
    assert _dialog(replace(asked, questions=(failed,)), 1).question is not None


def test_dialog_that_went_before_its_answer_arrived_is_not_answered_later() -> None:
    """Its next appearance is a question of its own; the old answer belongs to the old one."""
    asked = _dialog(ex.session(), 0)
    given = replace(asked.questions[0], answer="no", answered_at=ex.NOW)
    again = _dialog(_dialog(replace(asked, questions=(given,)), 1, None), 2)
    assert [(q.gone, q.open) for q in again.questions] == [(True, False), (False, True)]


def test_screen_that_flickers_while_keys_are_pressed_makes_no_new_question() -> None:
    asked = _dialog(ex.session(), 0)
    given = replace(asked.questions[0], answer="no", answered_at=ex.NOW)
    intent = Intent(key="answer:d1", at=ex.NOW)
    answering = replace(asked, questions=(given,), intents=(intent,))
    assert _dialog(_dialog(answering, 1, None), 2).questions == (given,)


def test_dialog_of_the_next_run_is_a_new_question_whatever_became_of_the_first() -> None:
    for before in (_dialog(ex.session(), 0), _delivered(_dialog(ex.session(), 0), 1)):
        fresh = setup.again(before, ex.NOW + 2, resume=True)
        started = replace(fresh, setup=before.setup, runtime=before.runtime)
        assert [q.open for q in _dialog(started, 3).questions] == [False, True]
