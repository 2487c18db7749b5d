"""Answer what an agent asked. Bound to the question's id: the first answer counts."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.domain.ids import SessionId
from orchestrator.domain.outside_text import clean
from orchestrator.domain.person import Actor
from orchestrator.domain.session import Question, Session
from orchestrator.domain.when import clock
from orchestrator.errors import BadInput, Conflict, NotFound
from orchestrator.lifecycle.draft import Draft
from orchestrator.services import ended
from orchestrator.services.core import Core


async def answer(core: Core, session_id: SessionId, text: str, *, by: Actor, question: str = "") -> Question:
    """Answer the open question, or the one of that id.

    A number picks an option. Raises `NotFound` without a question, `Conflict` when somebody was first.
    """
    words = clean(text).strip()
    if not words:
        msg = "the answer is empty."
        raise BadInput(msg, session=session_id)
    await ended.refuse(core, session_id)
    answered: list[Question] = []

    def how(draft: Draft) -> None:
        asked = _find(draft.session, question)
        if asked.answered_at is not None:
            raise Conflict(_first(asked), session=session_id)
        if asked.withdrawn:
            msg = "the agent went on without an answer."
            raise Conflict(msg, session=session_id)
        given = replace(asked, answer=_choice(asked, words), answered_by=by, answered_at=draft.now)
        draft.set(questions=tuple(given if q.id == given.id else q for q in draft.session.questions))
        draft.tell("question.answered", f"{by}: {given.answer}", question=given.id, by=str(by))
        answered.append(given)

    await core.fleet.change(session_id, how)
    return answered[0]


def _find(session: Session, question: str) -> Question:
    if not question:
        waiting = session.question
        if waiting is None:
            given = [q for q in session.questions if q.answered_at is not None]
            if given:
                msg = f"it asks nothing now; {_first(given[-1])}"
                raise Conflict(msg, session=session.id)
            msg = "it asks nothing."
            raise NotFound(msg, session=session.id, next_step=f"`ao send {session.id} …` tells it something.")
        return waiting
    for asked in session.questions:
        if asked.id == question:
            return asked
    msg = f"there is no question {question}."
    raise NotFound(msg, session=session.id)


def _first(asked: Question) -> str:
    return f"{asked.answered_by} answered first, at {clock(asked.answered_at or 0.0)}: {asked.answer}"


def _choice(asked: Question, words: str) -> str:
    """`2` means the second option where there are options and none is called `2`."""
    if words in asked.options or not words.isdigit() or not asked.options:
        return next((o for o in asked.options if o.lower() == words.lower()), words)
    number = int(words)
    if not 1 <= number <= len(asked.options):
        msg = f"there are {len(asked.options)} options, not {number}."
        raise BadInput(msg)
    return asked.options[number - 1]
