"""One kind of coding agent, described in data: how it is launched, and how its signals are to be read.

The same schema serves the profiles in `config/agents/` and the `agentConfig` of agent `custom`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from orchestrator.errors import BadInput
from orchestrator.ports.plugin import Field, Options, model_validator
from plugins._shared.profile_looks import DialogRule, PatternSets, Words
from plugins._shared.profile_signals import (
    Decisions,
    EventFields,
    StatusFile,
    Tool,
    Transcript,
    TroubleRule,
    UsageFile,
    Verdicts,
)

MOST_ARGUMENT = 100_000
"""Bytes of one argument; Linux refuses more than 128 KiB. A longer prompt is read from its file."""

_PLACEHOLDER = re.compile(r"\{([A-Za-z_]+)\}")
_INSTEAD = "Read {prompt_file} and do what it says."


class AgentHome(Options):
    """The folder in which an agent's program keeps its own things: login, settings, transcripts."""

    variable: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$")
    """Names it to the program."""
    folder: str = Field(pattern=r"^[A-Za-z0-9._-]+$")
    """Where it is without the variable, below the person's home."""
    files: Mapping[Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")], str] = {}
    """What lies in a new one, so that the program asks nobody who it is: {key_end} are the last characters
    of its key, as a program remembers a key that was agreed to."""
    trusts: str = ""
    """What {trusted} stands for in `files` once a person trusted the project's folder; {repository} is that folder,
    as it stands in a text of JSON. Only in folders of our own: what a person's own folder trusts is theirs."""
    flags: Words = ()
    """Words for {home_flags}, if the folder is the session's own."""
    defaults: Mapping[str, str] = {}
    """What {NAME} stands for in a line where the agent gets no variable of that name."""
    keys: Words = ()
    """Variables of ours that hold a key to the model. With one of them set, or with `isolated`, a session has a
    folder of its own; without, it is the person's own, with their login."""


class Profile(Options):
    """One kind of agent. Placeholders in lines: {prompt} {prompt_file} {conversation} {folder}
    {workspace} {session} {model} {agent_home}, and {NAME} for a variable that the agent gets; {program}, {flags},
    {judge_flags}, {permission_flags}, {model_flags} and {home_flags} stand alone and give any number of words.
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
    passes: Words = ()
    """Variables of ours that the agent gets as they are; the keys of its `home` are handed on too."""
    home: AgentHome | None = None
    isolated: bool = False
    """Each session has a folder of its own instead of the person's; it needs a key to the model."""
    files: Mapping[Annotated[str, Field(pattern=r"^agent/[A-Za-z0-9._-]+$")], str] = {}
    """Files below the session's folder, written before the launch: settings, hooks."""
    permissions: str = "auto-edit"
    permission_flags: Mapping[str, Words] = {}
    """Words for {permission_flags}, by value of `permissions`."""
    model: str = ""
    model_flags: Words = ()
    """Words for {model_flags}, if a model is set: `--model`, `{model}`."""
    flags: Words = ()
    """Words for {flags}: what each launch has."""
    judge_flags: Words = ()
    """Words for {judge_flags}, if there are rules by which calls are judged."""
    events: EventFields | None = None
    status: StatusFile | None = None
    usage: UsageFile | None = None
    transcript: Transcript | None = None
    tools: Mapping[str, Tool] = {}
    """By the agent's own names."""
    troubles: tuple[TroubleRule, ...] = ()
    decisions: Decisions | None = None
    """Its hook waits for a decision about leave. Left out, dialogs are answered on the screen only."""
    verdicts: Verdicts | None = None
    """Its hook asks before each call. Left out, rules hold only where the agent itself asks for leave."""
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
