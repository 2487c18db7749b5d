"""How an agent's own signals are read, as data: event files, a status file, what its errors mean."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from orchestrator.domain.activity import ActivityState, Trouble
from orchestrator.ports.plugin import Field, Options
from plugins._shared.profile_looks import Pattern, Words


class EventKind(StrEnum):
    """What an event of an agent means, whatever the agent calls it."""

    SESSION_START = "session_start"
    PROMPT_SUBMIT = "prompt_submit"
    TOOL_START = "tool_start"
    TOOL_END = "tool_end"
    WORKING = "working"
    ASKING = "asking"
    PERMISSION = "permission"
    ANSWERED = "answered"
    """Its hook took the answer that it waited for; written by our hook itself."""
    LIMITED = "limited"
    BLOCKED = "blocked"
    STOP = "stop"
    FAILED = "failed"
    """Its turn ended with an error; `troubles` say what it means."""
    INTERRUPTED = "interrupted"
    SESSION_END = "session_end"


class EventFields(Options):
    """How the files in `agent/events/` are read: one JSON object each, renamed into place."""

    event: Words = ("event",)
    """Fields that together name the event, joined by `:`; fewer of them if the longer name is unknown."""
    names: Mapping[str, EventKind] = {kind.value: kind for kind in EventKind}
    at: str = "at"
    """Epoch seconds; the file's own time where it is absent."""
    text: Words = ("text",)
    """Fields that hold what was said; the first that is there counts."""
    wrapped: Pattern = ""
    """What an agent puts round a text that was pasted; its group `text` is what was typed."""
    tool: str = "tool"
    tool_id: str = "id"
    arguments: str = "arguments"
    """What the tool is used on: an object."""
    conversation: str = "conversation"
    transcript: str = "transcript"
    """Path of the agent's own record of the conversation."""
    options: str = "options"
    until: str = "until"


class StatusFile(Options):
    """A file that the agent keeps up to date, one JSON object.

    In the session's folder it is read at each look. Elsewhere ({agent_home}, {pid}) only while the
    agent's events are silent: reading it then takes a process.
    """

    path: str = Field(default="agent/status.json", pattern=r"^(agent|\{agent_home\})/[A-Za-z0-9._{}/-]+$")
    field: str = "status"
    values: Mapping[str, ActivityState] = {state.value: state for state in ActivityState}
    at: str = "at"
    """Seconds or milliseconds since the epoch."""
    conversation: str = "conversation"


class UsageFile(Options):
    """A file in the session's folder in which the agent counts what it used. Fields by path: `cost.dollars`."""

    path: str = Field(default="agent/usage.json", pattern=r"^agent/[A-Za-z0-9._-]+$")
    conversation: str = "conversation"
    dollars: str = "dollars"
    context_percent: str = "context_percent"
    model: str = "model"


class Transcript(Options):
    """The agent's own record of a conversation; an event names its path."""

    below: str = "{agent_home}"
    """Where it must lie to be believed."""
    reader: str = Field(pattern=r"^[a-z-]{1,20}$")
    """Which of our readers understands it: `claude`, `codex`."""


class Tool(Options):
    """One tool of an agent: how its calls are shown to people and matched with rules."""

    argument: str
    """The field of its arguments that says what it is used on."""
    shell: bool = False
    """That argument is a command line for a shell."""
    shows: Mapping[str, str] = {}
    """Further fields that people see, with a mark before each line: `new_string: "+ "`."""


class TroubleRule(Options):
    """What an error means, by its words. The first rule that fits counts."""

    pattern: Pattern
    trouble: Trouble


class Decisions(Options):
    """What a hook that waits is told, as JSON: `{reason}` and `{input}` are put in."""

    allow: Mapping[str, object]
    deny: Mapping[str, object]
    answer: Mapping[str, object] = {}
    """A question of the agent is answered; `{input}` is its arguments with an `answers` object."""
    questions: str = ""
    """The tool that asks people questions."""


class Verdicts(Options):
    """What a hook that asks before each call is told, as JSON: `{reason}` is put in."""

    allow: Mapping[str, object]
    ask: Mapping[str, object]
    deny: Mapping[str, object]
