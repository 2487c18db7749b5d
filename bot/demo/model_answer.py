"""What the stub model answers to a request: the choice of the step, which is a pure function of its arguments.

It keeps nothing of a conversation: the step is found by the tool results since the last human message. The one
exception is `tried`, which counts how often a step with `times` has failed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bot.demo.model_conversation import Ask, Place, find_place
from bot.demo.model_plan import BadPlan, Plan, Step, block_of, plan_of_block, plan_of_message, without_block
from bot.demo.model_tools import Call, NoTool, call_for, fill

Tried = dict[tuple[str, int, int], int]
"""(conversation, number of the human message, step) to how often that step has failed."""

_SUMMARIES = ("CRITICAL: Respond with TEXT ONLY", "You are performing a CONTEXT CHECKPOINT COMPACTION")
_TITLE = "Play a written plan"
_NOTED = "Noted."
_END = "The plan has no further step."


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes back: an error, a silence, or words and calls."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    usage: tuple[int, int] = (1, 1)
    delay: float = 0.0
    drip: float = 0.0
    status: int = 200
    error: str = ""
    retry_after: float | None = None
    hang: float | None = None
    human: str = ""
    rule: str = ""
    """Which rule was played; empty when the request was not about the plan."""
    step: int | None = None


def choose(ask: Ask, plan: Plan, tried: Tried) -> Answer:
    """The answer to a request."""
    place = find_place(ask.turns)
    aside = _aside(ask, place)
    if aside is not None:
        return Answer(text=aside, usage=_usage(ask, aside), human=place.human)
    try:
        rule, steps = _steps(ask, plan, place.human)
    except BadPlan as error:
        text = f"This stub model cannot read its plan: {error}."
        return Answer(text=text, usage=_usage(ask, text), human=place.human, rule="bad plan")
    found = _find(steps, place, ask.key, tried)
    if found is None:
        return Answer(text=_END, usage=_usage(ask, _END), human=place.human, rule=rule, step=len(steps))
    number, failing = found
    if failing:
        return _failure(steps[number], place, rule, number)
    return _play(ask, steps[number], place, rule, number)


def _aside(ask: Ask, place: Place) -> str | None:
    """The answer to what is no work: a title, a probe, a summary, a note. None if it is work."""
    if place.human.startswith(_SUMMARIES):
        # The plan goes on after a conversation was made shorter, as it is told again in the summary.
        return f"<summary>\nA stub model played its plan up to here.\n\n{block_of(ask.turns)}\n</summary>"
    if not ask.tools or ask.max_tokens == 1:
        return json.dumps(fill(ask.wanted, {}, _TITLE)) if ask.wanted else _TITLE
    return None if place.news else _NOTED


def _steps(ask: Ask, plan: Plan, human: str) -> tuple[str, tuple[Step, ...]]:
    own = plan_of_message(human)
    if own is not None:
        return "STUB-PLAN", own
    block = block_of(ask.turns)
    return (plan_of_block(block) if block else plan).steps_for(without_block(human))


def _find(steps: Sequence[Step], place: Place, key: str, tried: Tried) -> tuple[int, bool] | None:
    """The step that comes after so many results, and whether it fails this time. None: the plan is over."""
    left = place.results
    for number, step in enumerate(steps):
        if left > 0 and step.act != "say" and (step.act or "times" in step.given):
            left -= step.results
            continue
        if step.fails:
            count = tried.get((key, place.ordinal, number), 0)
            if "times" not in step.given or count < step.given["times"]:
                tried[key, place.ordinal, number] = count + 1
                return number, True
        if step.act:
            return number, False
    return None


def _failure(step: Step, place: Place, rule: str, number: int) -> Answer:
    given = step.given
    return Answer(
        status=given.get("status", 200),
        error=given.get("error", "an error that the plan asks for"),
        retry_after=given.get("retry_after"),
        hang=given.get("hang"),
        delay=given.get("delay", 0.0),
        human=place.human,
        rule=rule,
        step=number,
    )


def _play(ask: Ask, step: Step, place: Place, rule: str, number: int) -> Answer:
    text = step.given.get("say", step.given.get("text_before", ""))
    calls: tuple[Call, ...] = ()
    if step.act != "say":
        try:
            calls = tuple(call_for(one, ask.tools) for one in step.calls or (step,))
        except NoTool as error:
            text = str(error)
    usage = step.given.get("usage")
    return Answer(
        text=text,
        calls=calls,
        usage=(usage[0], usage[1]) if usage else _usage(ask, text, calls),
        delay=step.given.get("delay", 0.0),
        drip=step.given.get("drip", 0.0),
        human=place.human,
        rule=rule,
        step=number,
    )


def _usage(ask: Ask, text: str, calls: tuple[Call, ...] = ()) -> tuple[int, int]:
    """Tokens as one may guess them: a token has four letters."""
    written = len(text) + sum(len(json.dumps(call.input)) for call in calls)
    return max(1, ask.size // 4), 12 + written // 4
