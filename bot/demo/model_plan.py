"""What the stub model plays: rules with steps, read from JSON, and the choice of the step for a request.

A plan is `{"rules": [RULE, ...], "otherwise": [STEP, ...]}`, or a list of steps, which is the same as `otherwise`
alone. A RULE is `{"when": REGEX, "all": [REGEX, ...], "steps": [STEP, ...]}`: the first one whose patterns are all
found in the last human message is played. A STEP is an object with one of

    sh COMMAND · read PATH · write PATH (text) · edit PATH (old, new) · ask TEXT (options) · tool NAME (input)
    calls [STEP, ...] · say TEXT · status CODE · hang SECONDS

`status` (429, 500, 529, 401, ...; with `error`, `retry_after`) and `hang` (nothing for so long, then the connection
ends) may also stand beside one of the others; with `times` they happen to so many requests, and then it goes on.
Besides: `text_before`, `delay` (seconds before the first byte), `drip` (seconds between pieces), `usage` [in, out].
A list of lines may stand for a text.

Whose plan counts: a human message with `STUB-PLAN: [STEP, ...]` brings its own (the last of several: a message that
failed comes again together with the next); else the first human message with a
block of lines "```model-plan" ... "```" rules the whole conversation; else the server's plan.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Self

from bot.demo.model_conversation import Turn, human_messages

_OWN = re.compile(r"STUB-PLAN:\s*(?=\[)")
_BLOCK = re.compile(r"^(`{3,}|~{3,})model-plan[ \t]*\r?\n(.*?)^\1[ \t]*\r?$", re.MULTILINE | re.DOTALL)
_USES = ("sh", "read", "write", "edit", "ask", "tool")
"""Acts that are one call of a tool."""
_ACTS = (*_USES, "calls", "say")
_FAILURES = ("status", "hang")
_NUMBERS = (int, float)
_KEYS: dict[str, tuple[type, ...]] = {
    "sh": (str, list),
    "write": (str,),
    "text": (str, list),
    "read": (str,),
    "edit": (str,),
    "old": (str, list),
    "new": (str, list),
    "ask": (str,),
    "options": (list,),
    "tool": (str,),
    "input": (dict, str),
    "calls": (list,),
    "say": (str, list),
    "status": (int,),
    "error": (str,),
    "retry_after": _NUMBERS,
    "hang": _NUMBERS,
    "times": (int,),
    "text_before": (str, list),
    "delay": _NUMBERS,
    "drip": _NUMBERS,
    "usage": (list,),
}


class BadPlan(ValueError):
    """A plan cannot be read; the words say where and why."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `act` is what it does, empty if it only fails; `given` all its keys, texts joined."""

    act: str
    given: dict[str, Any]
    calls: tuple[Step, ...] = ()

    @property
    def fails(self) -> bool:
        """Whether it has an error or a hang in it."""
        return any(key in self.given for key in _FAILURES)

    @property
    def results(self) -> int:
        """How many tool results come back of it."""
        return len(self.calls) if self.act == "calls" else int(self.act in _USES)

    @classmethod
    def read(cls, data: object, where: str = "a step") -> Self:
        """Read a step from JSON. Raises `BadPlan`."""
        given = _object(data, where)
        for key, value in given.items():
            _check(where, key, value)
        acts = [key for key in _ACTS if key in given]
        if len(acts) > 1 or not (acts or any(key in given for key in _FAILURES)):
            msg = f"{where} needs one of {', '.join(_ACTS + _FAILURES)}: {json.dumps(given)[:120]}"
            raise BadPlan(msg)
        calls = tuple(cls.read(one, f"a call of {where}") for one in given.get("calls", ()))
        if "calls" in given and any(call.results != 1 or call.act == "calls" for call in calls):
            msg = f"the calls of {where} must be one of {', '.join(_USES)}"
            raise BadPlan(msg)
        texts = {key: _text(value) for key, value in given.items() if str in _KEYS[key] and key != "input"}
        return cls(act=acts[0] if acts else "", given={**given, **texts}, calls=calls)


@dataclass(frozen=True, slots=True)
class Rule:
    """Steps, and the patterns that must all be found."""

    patterns: tuple[re.Pattern[str], ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Rules in order, and what is played when none fits. `otherwise` None: it is said that none fits."""

    rules: tuple[Rule, ...] = ()
    otherwise: tuple[Step, ...] | None = None

    @classmethod
    def read(cls, data: object) -> Self:
        """Read a plan from JSON. Raises `BadPlan`."""
        if isinstance(data, list):
            return cls(otherwise=_steps(data, "the plan"))
        given = _object(data, "the plan")
        if unknown := sorted(given.keys() - {"rules", "otherwise"}):
            msg = f"the plan has unknown keys: {', '.join(unknown)}"
            raise BadPlan(msg)
        rules = tuple(
            _rule(one, number) for number, one in enumerate(_list(given.get("rules", []), "rules"), 1)
        )
        return cls(rules, _steps(given["otherwise"], "otherwise") if "otherwise" in given else None)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a plan from its text. Raises `BadPlan`."""
        try:
            return cls.read(json.loads(text))
        except json.JSONDecodeError as error:
            msg = f"the plan is no JSON: {error}"
            raise BadPlan(msg) from error

    def steps_for(self, human: str) -> tuple[str, tuple[Step, ...]]:
        """Which rule fits a human message, in words, and its steps."""
        for rule in self.rules:
            if all(pattern.search(human) for pattern in rule.patterns):
                return rule.patterns[0].pattern, rule.steps
        if self.otherwise is not None:
            return "otherwise", self.otherwise
        words = (
            f'No rule of this stub model\'s plan fits the message "{excerpt(human)}", so nothing was done.'
        )
        return "none", (Step("say", {"say": words}),)


def plan_of_message(human: str) -> tuple[Step, ...] | None:
    """The steps that a human message brings along, if it does. Raises `BadPlan`."""
    own = next(reversed(list(_OWN.finditer(human))), None)
    if own is None:
        return None
    try:
        return _steps(json.JSONDecoder().raw_decode(human, own.end())[0], "STUB-PLAN")
    except json.JSONDecodeError as error:
        msg = f"STUB-PLAN is no JSON: {error}"
        raise BadPlan(msg) from error


def block_of(turns: Iterable[Turn]) -> str:
    """The first block with a plan in a conversation, with its fences; empty when there is none."""
    found = (_BLOCK.search(said) for said in human_messages(turns))
    return next((match.group(0) for match in found if match), "")


def plan_of_block(block: str) -> Plan:
    """The plan in a block. Raises `BadPlan`."""
    found = _BLOCK.search(block)
    return Plan.parse(found.group(2) if found else block)


def without_block(human: str) -> str:
    """A human message without its plan: what the rules look at."""
    return _BLOCK.sub("", human).strip()


def excerpt(text: str, size: int = 100) -> str:
    """The beginning of a text in one line."""
    return " ".join(text.split())[:size]


def _rule(data: object, number: int) -> Rule:
    where = f"rule {number}"
    given = _object(data, where)
    if given.keys() - {"when", "all", "steps"} or not {"when", "steps"} <= given.keys():
        msg = f"{where} has `when`, `steps` and perhaps `all`, not {', '.join(sorted(given)) or 'nothing'}"
        raise BadPlan(msg)
    texts = [given["when"], *_list(given.get("all", []), f"`all` of {where}")]
    return Rule(tuple(_patterns(texts, where)), _steps(given["steps"], where))


def _patterns(texts: Iterable[object], where: str) -> Iterator[re.Pattern[str]]:
    for text in texts:
        try:
            yield re.compile(str(text), re.DOTALL)
        except re.error as error:
            msg = f"{where}: {text!r} is no regular expression: {error}"
            raise BadPlan(msg) from error


def _steps(data: object, where: str) -> tuple[Step, ...]:
    found = _list(data, where)
    return tuple(Step.read(one, f"step {number} of {where}") for number, one in enumerate(found, 1))


def _check(where: str, key: str, value: object) -> None:
    if key not in _KEYS:
        msg = f"{where} has an unknown key: {key}"
        raise BadPlan(msg)
    lines = isinstance(value, list) and str in _KEYS[key] and not all(isinstance(line, str) for line in value)
    numbers = key == "usage" and (not isinstance(value, list) or [type(one) for one in value] != [int, int])
    no_error = key == "status" and value not in range(400, 600)
    if isinstance(value, bool) or not isinstance(value, _KEYS[key]) or lines or numbers or no_error:
        msg = f"{where} has a value that does not fit {key}: {json.dumps(value)[:80]}"
        raise BadPlan(msg)


def _text(value: object) -> str:
    return "\n".join(value) if isinstance(value, list) else str(value)


def _object(data: object, where: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        msg = f"{where} must be an object, not {json.dumps(data)[:80]}"
        raise BadPlan(msg)
    return data


def _list(data: object, where: str) -> list[Any]:
    if not isinstance(data, list):
        msg = f"{where} must be a list, not {json.dumps(data)[:80]}"
        raise BadPlan(msg)
    return data
