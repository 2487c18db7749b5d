"""Answer what an agent asked. Bound to the question's id: the first answer counts."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from orchestrator.domain.activity import ToolCall, Verdict
from orchestrator.domain.ids import SessionId
from orchestrator.domain.outside_text import clean
from orchestrator.domain.person import Actor, ActorKind
from orchestrator.domain.policy import DENY, KeptRule, Rule, described, exactly, judge
from orchestrator.domain.rules import Rules
from orchestrator.domain.session import Question, Session
from orchestrator.domain.when import clock
from orchestrator.errors import BadInput, Conflict, NotFound
from orchestrator.lifecycle import permissions
from orchestrator.lifecycle.decide import ask_next
from orchestrator.lifecycle.draft import Draft
from orchestrator.services import ended, leave
from orchestrator.services import rules as keeping
from orchestrator.services.core import Core

_NUMBERS = re.compile(r"[\d,\s]+")


@dataclass(slots=True, kw_only=True)
class Given:
    """An answer, and what came of it."""

    question: Question
    words: str
    """As people are told of it."""
    always: str = ""
    """`project` or `session`: where the same is allowed from now on."""
    rule: Rule | None = None
    kept: KeptRule | None = None
    """The rule as it is kept, with its id."""


async def answer(core: Core, session_id: SessionId, text: str, *, by: Actor, question: str = "") -> Question:
    """Answer the open question, or the one of that id; the question with its answer. Raises as `give` does."""
    return (await give(core, session_id, text, by=by, question=question)).question


async def give(core: Core, session_id: SessionId, text: str, *, by: Actor, question: str = "") -> Given:
    """Answer the open question, or the one of that id.

    A number picks an option. What is allowed always is kept as a rule, and so is the answer to a dialog
    that is asked once. Raises `NotFound` without a question, `Conflict` when somebody was first.
    """
    words = clean(text).strip()
    if not words:
        msg = "the answer is empty."
        raise BadInput(msg, session=session_id)
    await ended.refuse(core, session_id)
    answered: list[Given] = []

    def how(draft: Draft) -> None:
        asked = _find(draft.session, question)
        if asked.answered_at is not None:
            raise Conflict(_first(asked), session=session_id)
        if asked.withdrawn:
            msg = "the agent went on without an answer."
            raise Conflict(msg, session=session_id)
        found = _given(draft.session, asked, words, core.settings.rules(draft.session.project))
        given = replace(found.question, answered_by=by, answered_at=draft.now)
        found.question = given
        draft.set(questions=tuple(given if q.id == given.id else q for q in draft.session.questions))
        draft.tell("question.answered", f"{by}{found.words}", question=given.id, by=str(by))
        ask_next(draft, given)
        answered.append(found)

    session = await core.fleet.change(session_id, how)
    await _keep(core, session, answered[0], by)
    return answered[0]


def _given(session: Session, asked: Question, words: str, rules: Rules) -> Given:
    """Raises `BadInput` before anything is decided."""
    if asked.call is None or not leave.asks_leave(asked):
        chosen = replace(asked, answer=_choices(asked, words))
        return Given(question=chosen, words=f": {chosen.answer}")
    said = leave.read(asked, words, session.id)
    done = "denied" if not said.allows else "allowed once"
    if said.always:
        name = session.id if said.always == "session" else session.project
        done = f"allowed always in {said.always} {name}"
    why = said.answer.removeprefix(DENY).removeprefix(":").strip() if not said.allows else ""
    return Given(
        question=replace(asked, answer=said.answer),
        words=f" {done}: {described(asked.call)}" + (f" ({why})" if why else ""),
        always=said.always,
        rule=_rule(session, asked.call, rules) if said.always else None,
    )


def _rule(session: Session, call: ToolCall, rules: Rules) -> Rule:
    """The rule that allows this very call from now on. Raises `BadInput` where another rule would win."""
    rule = exactly(call)
    judgement = judge(permissions.policy_for(session, rules).and_allow([rule]), call)
    if judgement.verdict is not Verdict.ALLOW:
        msg = f"it cannot be allowed always: the rule {judgement.words} wins."
        raise BadInput(msg, session=session.id, next_step=f"`ao answer {session.id} allow` allows it once.")
    return rule


async def _keep(core: Core, session: Session, given: Given, by: Actor) -> None:
    """What holds for longer than this one time, and for the audit who gave leave."""
    if given.question.call is not None:
        await core.audit(by, "answer", session.id, text=given.words.strip())
    if given.rule is not None:
        given.kept = await keeping.allow_always(core, session, given.rule, scope=given.always, by=by)
    elif given.question.remember:
        await keeping.remember(core, session, given.question, by=by)


def _find(session: Session, question: str) -> Question:
    if not question:
        waiting = session.question
        if waiting is None:
            status = session.status
            msg = f"it asks nothing now: it is {status.status.value.replace('_', ' ')}, {status.reason or 'as it seems'}."
            kind = Conflict if session.questions else NotFound
            raise kind(msg, session=session.id, next_step=f"`ao send {session.id} …` tells it something.")
        return waiting
    for asked in session.questions:
        if asked.id == question:
            return asked
    msg = f"there is no question {question}."
    raise NotFound(msg, session=session.id)


def _first(asked: Question) -> str:
    by = asked.answered_by
    did = "decided it" if by is not None and by.kind is ActorKind.RULE else "answered first"
    return f"{by} {did}, at {clock(asked.answered_at or 0.0)}: {asked.answer}"


def _choices(asked: Question, words: str) -> str:
    """Where several may be chosen: `1, 3`, or their words, with commas between. Else one, or words of one's own."""
    if not asked.many or words in asked.options:
        return _choice(asked, words)
    parts = words.replace(",", " ").split() if _NUMBERS.fullmatch(words) else words.split(",")
    chosen = [_choice(asked, part.strip(" ,")) for part in parts if part.strip(" ,")]
    known = chosen and all(choice in asked.options for choice in chosen)
    return ", ".join(o for o in asked.options if o in chosen) if known else words


def _choice(asked: Question, words: str) -> str:
    """`2` means the second option where there are options and none is called `2`."""
    if words in asked.options or not words.isdigit() or not asked.options:
        return next((o for o in asked.options if o.lower() == words.lower()), words)
    number = int(words)
    if not 1 <= number <= len(asked.options):
        msg = f"there are {len(asked.options)} options, not {number}."
        raise BadInput(msg)
    return asked.options[number - 1]
