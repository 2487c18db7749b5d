"""Rules about paths that can never hold, so that a wall which is none is seen before an agent walks through it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from orchestrator.domain.activity import Verdict
from orchestrator.domain.policy import ANY_TOOL, Rule, parse
from orchestrator.settings.policy_model import PolicyKeys
from orchestrator.settings.problems import Grade, KeyPath, Problem, Spots

_LINES = frozenset({ANY_TOOL, "Bash"})
"""Tools whose argument may be a command line, in which such a text can stand."""


def hopeless(policy: PolicyKeys, at: KeyPath, spots: Spots) -> Iterator[Problem]:
    """A problem for each rule that holds for no path."""
    for verdict, texts in (
        (Verdict.DENY, policy.deny),
        (Verdict.ASK, policy.ask),
        (Verdict.ALLOW, policy.allow),
    ):
        for index, text in enumerate(texts):
            why = _why(parse(verdict, text))
            if why:
                message = f"{text} never holds: {why}."
                yield spots.problem((*at, verdict.value, index), message, Grade.WARNING)


def _why(rule: Rule) -> str:
    pattern = rule.pattern or ""
    if rule.tool in _LINES or "://" in pattern:
        return ""
    parts = pattern.split("/")
    if pattern.startswith("~"):
        return f"paths are compared as they are, and `~` is none; write {Path.home()} or whatever folder is meant"
    if ".." in parts or "." in parts[1:]:
        return "paths are compared without `.` and `..`; write the path that is meant"
    if "" in parts[1:-1]:
        return "paths are compared without doubled slashes; one slash begins a path at the root"
    top = parts[1] if pattern.startswith("/") and len(parts) > 2 else ""
    if top and "*" not in top and not Path("/", top).exists():
        return f"there is no /{top} on this machine; without the slash a pattern begins at the session's workspace"
    return ""
