"""What an agent's screen and title look like, as data: patterns by what they mean, and dialogs.

Patterns are regular expressions of Python and come from us or from a configuration that a person trusted.
"""

from __future__ import annotations

import re
from typing import Annotated

from orchestrator.domain.activity import ActivityState
from orchestrator.ports.plugin import AfterValidator, Field, Options


def _pattern(text: str) -> str:
    try:
        re.compile(text, re.MULTILINE)
    except re.error as error:
        msg = f"{text!r} is no regular expression: {error}"
        raise ValueError(msg) from None
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]
Patterns = tuple[Pattern, ...]
Words = tuple[str, ...]


class Looks(Options):
    """Patterns by what they mean, for the title or the screen; the first state that fits holds.

    `^` and `$` are a line's ends. Lines come without the spaces at their end, and empty ones not at all.
    """

    blocked: Patterns = ()
    limited: Patterns = ()
    permission: Patterns = ()
    asking: Patterns = ()
    busy: Patterns = ()
    idle: Patterns = ()
    """The prompt waits: text typed now is read as a message."""
    lines: int = Field(default=12, ge=1, le=200)
    """How many of the screen's last lines that are not empty are looked at."""

    def states(self) -> tuple[tuple[ActivityState, Patterns], ...]:
        """The patterns in the order in which they are tried."""
        return (
            (ActivityState.BLOCKED, self.blocked),
            (ActivityState.LIMITED, self.limited),
            (ActivityState.PERMISSION, self.permission),
            (ActivityState.ASKING, self.asking),
            (ActivityState.BUSY, self.busy),
            (ActivityState.IDLE, self.idle),
        )

    @property
    def given(self) -> bool:
        """There is any pattern."""
        return any(patterns for _, patterns in self.states())


class Prompt(Options):
    """The line in which a person writes: how it is told whether text stands there already.

    What an agent shows in an empty prompt (a hint) looks like text; its cursor tells them apart.
    """

    line: Pattern
    """The line of the cursor, while it stands in the prompt."""
    column: int = Field(ge=0)
    """Where the cursor is while the prompt is empty; the first column is 0."""
    clear: Words = ()
    """Keys that empty the prompt."""
    pasted: Pattern = ""
    """What stands there for (the middle of) a long text."""


class PatternSets(Options):
    """Where patterns are looked for."""

    title: Looks = Looks()
    screen: Looks = Looks()
    prompt: Prompt | None = None
    """Left out, whatever shows `screen.idle` counts as an empty prompt."""


class Choice(Options):
    """One answer of a dialog, and the keys that choose it."""

    label: str = Field(min_length=1, max_length=75)
    keys: Words = Field(min_length=1)


class DialogRule(Options):
    """A dialog on the screen that is recognised and can be answered."""

    name: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    pattern: Pattern
    """What the last lines show; a group `text` is what people are shown, else the whole match."""
    permission: bool = True
    remember: bool = False
    """A person's answer holds for every session of the project with this agent."""
    choices: tuple[Choice, ...] = Field(min_length=1)
