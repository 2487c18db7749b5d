"""What rules decide in a person's place: dialogs about a call, and dialogs that were answered before. Pure."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.domain.activity import ToolCall, Verdict
from orchestrator.domain.person import Actor
from orchestrator.domain.person import rule as rule_actor
from orchestrator.domain.policy import (
    ALLOW_ONCE,
    DENY,
    Judgement,
    Policy,
    described,
    judge,
    kept_for,
    kind_of_dialog,
    shown,
)
from orchestrator.domain.rules import Rules
from orchestrator.domain.session import Question, Session
from orchestrator.lifecycle.draft import Draft


def policy_for(session: Session, rules: Rules) -> Policy:
    """What the configuration says, and what people allowed always in this project or in this session."""
    scopes = (f"project:{session.project}", f"session:{session.id}")
    return replace(
        rules.policy.and_allow(tuple(kept_for(rules.kept, scopes))), workspace=str(session.workspace)
    )


def answer_waiting(draft: Draft, rules: Rules) -> None:
    """Answer every question that a rule decides, also one that was asked before there was the rule."""
    for question in draft.session.questions:
        if question.open:
            answered_by_rule(draft, question, rules)


def answered_by_rule(draft: Draft, question: Question, rules: Rules) -> bool:
    """Answer the question if a rule decides it; says whether it did."""
    if question.for_people:
        return False
    if question.call is not None:
        return _judged(draft, question, question.call, rules)
    return question.remember and _remembered(draft, question, rules)


def _judged(draft: Draft, question: Question, call: ToolCall, rules: Rules) -> bool:
    judgement = judge(policy_for(draft.session, rules), call)
    if judgement.verdict is Verdict.ALLOW and ALLOW_ONCE in question.options:
        kind, answer, done = "policy.allowed", ALLOW_ONCE, "allowed"
    elif judgement.verdict is Verdict.DENY and DENY in question.options:
        kind, answer, done = "policy.denied", f"{DENY}: {reason(judgement)}", "denied"
    else:
        return False
    _give(draft, question, answer, rule_actor(judgement.words))
    tell(draft, kind, f"{done}: {described(call)}, by the rule {judgement.words}", call, judgement.words)
    return True


def _remembered(draft: Draft, question: Question, rules: Rules) -> bool:
    session = draft.session
    about = (session.project, session.parts.agent, kind_of_dialog(question.id))
    for kept in rules.remembered:
        if (kept.project, kept.agent, kept.dialog) == about and kept.answer in question.options:
            by = rule_actor(f"{kept.by}'s earlier answer")
            _give(draft, question, kept.answer, by)
            draft.tell("question.answered", f"{by}: {kept.answer}", question=question.id, by=str(by))
            return True
    return False


def remembered_for(session: Session, rules: Rules) -> dict[str, str]:
    """What people answered that holds for this session's project and agent, by the kind of dialog."""
    about = (session.project, session.parts.agent)
    return {kept.dialog: kept.answer for kept in rules.remembered if (kept.project, kept.agent) == about}


def _give(draft: Draft, question: Question, answer: str, by: Actor) -> None:
    given = replace(question, answer=answer, answered_by=by, answered_at=draft.now)
    draft.set(questions=tuple(given if q.id == given.id else q for q in draft.session.questions))


_REASONS = {
    Verdict.ALLOW: "the rules of this project allow it",
    Verdict.ASK: "the rules of this project want a person asked",
    Verdict.DENY: "the rules of this project forbid it; find another way, or ask with `ao ask`",
}


def reason(judgement: Judgement) -> str:
    """What an agent is told of a call that was judged; names the rule."""
    words = _REASONS[judgement.verdict] if judgement.verdict else ""
    return f"{words} ({judgement.words})"


def tell(draft: Draft, kind: str, text: str, call: ToolCall, words: str) -> None:
    """Tell of a call that a rule decided; what it is about is masked and bounded."""
    draft.tell(kind, text, tool=shown(call.tool), argument=shown(call.argument), rule=words)
