"""What `ao help` prints: all verbs, one verb, or the exit codes."""

from __future__ import annotations

from collections.abc import Sequence

from bot.actions import registry
from bot.actions.help import of_action
from bot.chat.message import Field, Message, Table
from bot.frontends.shell.exit_codes import EXIT_CODES
from bot.frontends.shell.options import HELP
from bot.frontends.shell.text import lines_of


def of(words: Sequence[str], width: int) -> str:
    """Help about what `words` name. Raises `BadInput` for a verb that is not there."""
    return "\n".join(lines_of(_message(words), width))


def _message(words: Sequence[str]) -> Message:
    if not words:
        rows = tuple((action.verb, action.summary) for action in registry.all_actions())
        return Message(
            title="ao <verb> ...   looks after a fleet of coding agents",
            table=Table(("verb", "what it does"), rows, wrap=True),
            next_steps=("help <verb>", "help exit-codes"),
        )
    if words[0] == "exit-codes":
        codes = tuple((str(code), name, meaning) for code, name, meaning in EXIT_CODES)
        return Message(title="Exit codes", table=Table(("code", "name", "meaning"), codes, wrap=True))
    found = of_action(registry.find(words)[0])
    everywhere = tuple(Field(option, text) for option, text in HELP)
    return Message(
        title=found.title, lines=found.lines, fields=(*found.fields, *everywhere), next_steps=found.next_steps
    )
