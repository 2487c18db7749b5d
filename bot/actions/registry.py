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
    typed = [word.lower() for word in words[:2]]
    for count in (2, 1):
        verb = " ".join(typed[:count])
        if len(typed) >= count and verb in VERBS:
            return load(verb), count
    for count in (2, 1):
        for action in all_actions():
            if " ".join(typed[:count]) in action.aliases:
                return action, min(count, len(typed))
    raise _unknown(typed)


def _unknown(typed: Sequence[str]) -> BadInput:
    if not typed:
        return BadInput("Nothing was asked.", next_step="`ao help` lists what can be.")
    group = [verb for verb in VERBS if verb.startswith(f"{typed[0]} ")]
    if group:
        return BadInput(f"{typed[0]} needs one more word.", next_step=f"There is: {', '.join(group)}.")
    near = difflib.get_close_matches(typed[0], VERBS, 1)
    hint = f"Did you mean `{near[0]}`?" if near else "`ao help` lists all verbs."
    return BadInput(f"There is no verb {typed[0]!r}.", next_step=hint)
