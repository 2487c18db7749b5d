"""One kind of coding agent, described in data: how it is launched, and how its signals are to be read.

The same schema serves the profiles in `config/agents/` and the `agentConfig` of agent `custom`.
Patterns are regular expressions of Python and come from us or from a configuration that a person trusted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from orchestrator.domain.activity import ActivityState
from orchestrator.errors import BadInput
from orchestrator.ports.plugin import AfterValidator, Field, Options, model_validator

MOST_ARGUMENT = 100_000
"""Bytes of one argument; Linux refuses more than 128 KiB. A longer prompt is read from its file."""

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_INSTEAD = "Read {prompt_file} and do what it says."


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


class PatternSets(Options):
    """Where patterns are looked for."""

    title: Looks = Looks()
    screen: Looks = Looks()


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
    choices: tuple[Choice, ...] = Field(min_length=1)


class EventKind(StrEnum):
    """What an event of an agent means, whatever the agent calls it."""

    SESSION_START = "session_start"
    PROMPT_SUBMIT = "prompt_submit"
    TOOL_START = "tool_start"
    TOOL_END = "tool_end"
    WORKING = "working"
    ASKING = "asking"
    PERMISSION = "permission"
    LIMITED = "limited"
    BLOCKED = "blocked"
    STOP = "stop"
    INTERRUPTED = "interrupted"
    SESSION_END = "session_end"


class EventFields(Options):
    """How the files in `agent/events/` are read: one JSON object each, renamed into place."""

    event: Words = ("event",)
    """Fields that together name the event, joined by `:`; fewer of them if the longer name is unknown."""
    names: Mapping[str, EventKind] = {kind.value: kind for kind in EventKind}
    at: str = "at"
    """Epoch seconds; the file's own time where it is absent."""
    text: str = "text"
    tool: str = "tool"
    tool_id: str = "id"
    conversation: str = "conversation"
    options: str = "options"
    until: str = "until"


class StatusFile(Options):
    """A file that the agent keeps up to date, one JSON object, below the session's folder."""

    path: str = Field(default="agent/status.json", pattern=r"^agent/[A-Za-z0-9._-]+$")
    field: str = "status"
    values: Mapping[str, ActivityState] = {state.value: state for state in ActivityState}
    at: str = "at"
    conversation: str = "conversation"


class Profile(Options):
    """One kind of agent. Placeholders in lines: {prompt} {prompt_file} {conversation} {folder}
    {workspace} {session} {model}; {program}, {permission_flags} and {model_flags} stand alone and give
    any number of words.
    """  # noqa: D205 - the list of placeholders needs its lines

    label: str = Field(default="custom agent", max_length=60)
    launch: Words = Field(min_length=1)
    """The command, word by word; never a line for a shell."""
    resume: Words = ()
    """The command that goes on in an earlier conversation; without it the agent begins anew."""
    program: Words = ()
    """What {program} stands for."""
    prompt: Literal["argument", "file", "typed"] = "typed"
    """How the task is given: {prompt} or {prompt_file} in `launch`, or typed when the prompt waits."""
    environment: Mapping[str, str] = {}
    """Added to the session's allow-list."""
    files: Mapping[Annotated[str, Field(pattern=r"^agent/[A-Za-z0-9._-]+$")], str] = {}
    """Files below the session's folder, written before the launch: settings, hooks."""
    permissions: str = "auto-edit"
    permission_flags: Mapping[str, Words] = {}
    """Words for {permission_flags}, by value of `permissions`."""
    model: str = ""
    model_flags: Words = ()
    """Words for {model_flags}, if a model is set: `--model`, `{model}`."""
    events: EventFields | None = None
    status: StatusFile | None = None
    quiet_after: float = Field(default=20.0, ge=1.0)
    """Seconds without a signal after which a busy agent's screen is looked at too."""
    patterns: PatternSets = PatternSets()
    dialogs: tuple[DialogRule, ...] = ()
    numbered: bool = False
    """Dialogs that come as events are answered by the number of the option."""
    interrupt: Words = Field(default=("Escape",), min_length=1)
    """Keys that make it stop its turn and wait."""

    @model_validator(mode="after")
    def _prompt_is_given(self) -> Profile:
        needed = {"argument": "{prompt}", "file": "{prompt_file}"}.get(self.prompt, "")
        if needed and not any(needed in word for word in self.launch):
            msg = f"prompt: {self.prompt} needs {needed} in `launch`"
            raise ValueError(msg)
        return self


def load(text: str) -> Profile:
    """A profile from the text of a YAML file. Raises `BadInput`."""
    import yaml

    try:
        return Profile.model_validate(yaml.safe_load(text))
    except (ValueError, yaml.YAMLError) as error:
        msg = f"The agent's profile is wrong: {error}"
        raise BadInput(msg) from error


def fill(line: Words, values: Mapping[str, str], lists: Mapping[str, Words]) -> tuple[str, ...]:
    """A command line with its placeholders put in; never through a shell, never twice."""
    words: list[str] = []
    for word in line:
        name = word[1:-1] if word.startswith("{") and word.endswith("}") else ""
        if name in lists:
            words.extend(fill_text(part, values) for part in lists[name])
        else:
            words.append(fill_text(word, values))
    return tuple(words)


def fill_text(text: str, values: Mapping[str, str]) -> str:
    """A text with its placeholders put in. What is no placeholder stays: JSON is full of braces."""
    return _PLACEHOLDER.sub(lambda match: values.get(match.group(1), match.group(0)), text)


def prompt_argument(prompt: str, prompt_file: str) -> str:
    """The prompt as one argument; too long for one, the word where to read it."""
    if len(prompt.encode()) <= MOST_ARGUMENT:
        return prompt
    return _INSTEAD.replace("{prompt_file}", prompt_file)
