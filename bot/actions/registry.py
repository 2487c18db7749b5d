"""All verbs, each loaded when it is first asked for: one verb, one module of this package."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Sequence

from bot.actions.action import Action
from orchestrator.errors import BadInput

VERBS = (
    # work
    "spawn",
    "batch-spawn",
    "send",
    "answer",
    "output",
    "interrupt",
    "pause",
    "unpause",
    "kill",
    "restore",
    "cleanup",
    # pull requests
    "claim",
    "approve",
    "request-changes",
    "resolve",
    "draft",
    "ready",
    "update-branch",
    "merge",
    "hold",
    "unhold",
    "retry",
    "release",
    "send-back",
    "release-text",
    # looking
    "status",
    "held",
    "issues",
    "events",
    "attach",
    "open",
    "console",
    "rescue ls",
    "rescue show",
    "rescue restore",
    "rescue drop",
    "rules",
    "rules rm",
    # people
    "people",
    "people add",
    "people rm",
    "pair",
    "link",
    "unlink",
    # the fleet
    "doctor",
    "github doctor",
    "project ls",
    "project add",
    "project rm",
    "config check",
    "config show",
    "config schema",
    "reload",
    "trust",
    "plugin list",
    "notify test",
    "github webhook install",
    "github webhook ls",
    "github webhook test",
    "github webhook rm",
    "token add",
    "token ls",
    "token rm",
    "help",
    # this machine
    "start",
    "stop",
    "init",
    "demo",
    "service install",
    "completion",
    "plugin create",
)
"""Every verb, in the order in which help lists them. A verb's module is named like it."""


LONGEST = max(len(verb.split()) for verb in VERBS)
"""Words of the verb with the most words."""


def load(verb: str) -> Action:
    """The action of a verb that stands in `VERBS`."""
    module = importlib.import_module(f"bot.actions.{verb.replace(' ', '_').replace('-', '_')}")
    action = module.ACTION
    if not isinstance(action, Action):  # pragma: no cover - a test walks all verbs
        msg = f"{module.__name__} has no ACTION."
        raise TypeError(msg)
    return action


def all_actions() -> tuple[Action, ...]:
    """Every action. Loads them all: for help, completion and documents."""
    return tuple(load(verb) for verb in VERBS)


def find(words: Sequence[str]) -> tuple[Action, int]:
    """The action that `words` begin with, and how many words name it. Raises `BadInput`.

    Verbs are known in any case, and by their aliases.
    """
    typed = [word.lower() for word in words[:LONGEST]]
    counts = range(len(typed), 0, -1)
    for count in counts:
        verb = " ".join(typed[:count])
        if verb in VERBS:
            return load(verb), count
    actions = all_actions() if typed else ()
    for count in counts:
        for action in actions:
            if " ".join(typed[:count]) in action.aliases:
                return action, count
    raise _unknown(typed)


def _unknown(typed: Sequence[str]) -> BadInput:
    if not typed:
        return BadInput("Nothing was asked.", next_step="`ao help` lists what can be.")
    for count in range(len(typed), 0, -1):
        begun = " ".join(typed[:count])
        if group := [verb for verb in VERBS if verb.startswith(f"{begun} ")]:
            return BadInput(f"{begun} needs one more word.", next_step=f"There is: {', '.join(group)}.")
    near = difflib.get_close_matches(typed[0], VERBS, 1)
    hint = f"Did you mean `{near[0]}`?" if near else "`ao help` lists all verbs."
    return BadInput(f"There is no verb {typed[0]!r}.", next_step=hint)
