"""`docs/verbs.md`, made from the registry: `python -m bot.actions.docs > docs/verbs.md`."""

from __future__ import annotations

import sys

from bot.actions import registry
from bot.actions.action import Action, Argument, Confirmation, Kind, is_option
from bot.chat.request import EVERYWHERE, SHELL

_HEAD = """\
# Verbs

Every verb, as it is typed in the shell after `ao`. Made from the registry
by `python -m bot.actions.docs`; a test says when this page is old.

A session is named by its id (`demo-1`), its issue (`3`, `#3`) or its pull request, in any case; in the
session's own thread it is left out. The project may be left out where there is only one, and in a
channel that is bound to it. Long dashes and curly quotes are taken for what they were meant to be.

Roles, each with all that stands before it: viewer, operator, approver, admin. *Confirmation* `facts`
shows the facts and asks; `risk` does so only where something open would end; `head` binds the yes to the head commit that was shown, so that a newer push
disarms it. Scripts say `--yes`, and `--head <sha>` where it is `head`.
"""
_CONFIRMATION = {
    Confirmation.NONE: "",
    Confirmation.FACTS: "facts",
    Confirmation.RISK: "risk",
    Confirmation.HEAD: "head",
}


def page() -> str:
    """The whole page."""
    actions = registry.all_actions()
    rows = [
        "| verb | what it does | role | where | confirmation | inverse | also |",
        "|---|---|---|---|---|---|---|",
        *map(_row, actions),
    ]
    return (
        "\n".join([_HEAD, *rows, "", *(line for action in actions for line in _section(action))]).rstrip()
        + "\n"
    )


def _row(action: Action) -> str:
    cells = (
        f"[`{action.verb}`](#{action.verb.replace(' ', '-')})",
        action.summary,
        action.role.value,
        _where(action),
        _CONFIRMATION[action.confirmation],
        f"`{action.inverse}`" if action.inverse else "",
        ", ".join(f"`{alias}`" for alias in action.aliases),
    )
    return f"| {' | '.join(cells)} |"


def _where(action: Action) -> str:
    if action.surfaces == EVERYWHERE:
        return "everywhere"
    if action.surfaces == SHELL:
        return "shell"
    return ", ".join(sorted(surface.value for surface in action.surfaces))


def _section(action: Action) -> list[str]:
    lines = [f"## {action.verb}", "", f"`ao {action.usage}`", ""]
    if action.arguments:
        lines += [*(f"- `{_shown(argument)}`: {argument.help}." for argument in action.arguments), ""]
    if action.examples:
        lines += ["Examples: " + ", ".join(f"`ao {example}`" for example in action.examples) + ".", ""]
    return lines


def _shown(argument: Argument) -> str:
    if argument.kind is Kind.FLAG:
        return f"--{argument.name}"
    return f"--{argument.name} <{argument.kind.value}>" if is_option(argument) else f"<{argument.name}>"


if __name__ == "__main__":
    sys.stdout.write(page())
