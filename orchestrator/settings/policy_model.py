"""Keys of a policy in a configuration: what agents may run."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from orchestrator.domain.activity import Verdict
from orchestrator.domain.policy import MOST_RULE, Policy, Rule, parse
from orchestrator.errors import BadInput
from orchestrator.settings.base import Keys
from orchestrator.settings.values import by


def _rule(text: str) -> str:
    rule = parse(Verdict.ASK, text)
    if rule.pattern == "":
        msg = f"{text!r} says nothing between its brackets: {rule.tool} alone is every use of it"
        raise BadInput(msg)
    return rule.text


RuleText = Annotated[str, AfterValidator(by(_rule)), Field(max_length=MOST_RULE)]


class PolicyKeys(Keys):
    """Rules `Tool` or `Tool(pattern)`, where `*` stands for any text. Deny wins over ask, ask over allow."""

    allow: tuple[RuleText, ...] = Field(
        default=(), description="What agents may run unasked. Counts only once this file is trusted."
    )
    ask: tuple[RuleText, ...] = Field(default=(), description="What a person is asked about each time.")
    deny: tuple[RuleText, ...] = Field(default=(), description="What no agent may run.")


def joined(*policies: PolicyKeys) -> Policy:
    """One policy: each list with those after it added."""
    return Policy(
        allow=_rules(Verdict.ALLOW, [p.allow for p in policies]),
        ask=_rules(Verdict.ASK, [p.ask for p in policies]),
        deny=_rules(Verdict.DENY, [p.deny for p in policies]),
    )


def _rules(verdict: Verdict, lists: list[tuple[str, ...]]) -> tuple[Rule, ...]:
    return tuple(parse(verdict, text) for text in dict.fromkeys(text for texts in lists for text in texts))
