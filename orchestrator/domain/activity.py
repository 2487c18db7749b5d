"""What an agent is doing, as told by its own signals."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ActivityState(StrEnum):
    """What the agent does right now."""

    STARTING = "starting"
    """Launched; no signal of its own yet."""
    BUSY = "busy"
    """It works. A running tool call is work, however long it is silent on the screen."""
    IDLE = "idle"
    """Its turn ended and its prompt waits for text."""
    ASKING = "asking"
    """It asks a person something and waits."""
    PERMISSION = "permission"
    """It waits for leave to run something."""
    LIMITED = "limited"
    """The model's provider makes it wait, out of rate or credit; `until` where known."""
    BLOCKED = "blocked"
    """It cannot go on by itself: login lost, context full, network down."""
    EXITED = "exited"
    """It said that it ended."""
    UNKNOWN = "unknown"
    """No source could be read, or none says anything."""


class Trouble(StrEnum):
    """Why an agent has to wait or cannot go on; the value is how people are told."""

    RATE = "rate limit"
    CREDIT = "out of credit"
    OVERLOAD = "the provider is overloaded"
    CONTEXT = "context full"
    LOGIN = "login lost"
    NETWORK = "network down"
    REFUSED = "the provider refused the request"


FLEET_TROUBLES = frozenset({Trouble.LOGIN, Trouble.CREDIT})
"""Troubles of an account and not of one session: people are told once for all sessions of the agent."""


class Source(StrEnum):
    """Where a statement about activity comes from, the most believable first."""

    HOOK = "hook"
    STATUS_FILE = "status_file"
    TRANSCRIPT = "transcript"
    TITLE = "title"
    SCREEN = "screen"
    NONE = "none"


class Verdict(StrEnum):
    """What our rules say of a tool call."""

    ALLOW = "allow"
    ASK = "ask"
    DENY = "deny"


PASTED = "[pasted text]"
"""Stands in a draft for text that is not shown: agents hide long texts, or the middle of them, in their prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """Something that an agent wants to run, as its rules are matched with."""

    tool: str
    """The agent's own name of the tool: `Bash`, `Edit`."""
    argument: str
    """What the tool is used on: the command line, the path. Outside text."""
    shell: bool = False
    """`argument` is a command line for a shell, which may hold several commands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One of several questions of a dialog."""

    text: str
    options: tuple[str, ...] = ()
    many: bool = False
    """More than one of the options may be chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialog:
    """Something that an agent waits for a choice in."""

    id: str
    """Changes whenever what is asked changes, so an answer cannot land in another dialog."""
    text: str
    options: tuple[str, ...] = ()
    call: ToolCall | None = None
    """What leave is asked for, where it is that."""
    remember: bool = False
    """The answer holds for every session of the project with this agent: whether its folder is trusted."""
    many: bool = False
    """More than one of the options may be chosen."""
    further: tuple[Asked, ...] = ()
    """What it asks besides `text`: each is asked by itself, and the answers are given together."""
    given: tuple[str, ...] = ()
    """Where it is being answered: the answers to all but the last of its questions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One statement about what the agent does, with where it comes from and how old it is."""

    state: ActivityState
    source: Source = Source.NONE
    at: float = 0.0
    """When the agent signalled this (epoch seconds); 0 if nobody knows."""
    evidence: str = ""
    """In words, for a person: `hook stop at 12:03:07`."""
    accepts_text: bool = False
    """The agent's prompt waits: text typed now is read as a message. False when in doubt."""
    draft: str = ""
    """What stands in its prompt and was not sent: text typed now would come behind it."""
    dialog: Dialog | None = None
    tool: str = ""
    """The tool call that runs now; while one runs, silence is work and never `stuck`."""
    until: float | None = None
    """When a limit ends, if the agent says."""
    trouble: Trouble | None = None
    """Why it waits or cannot go on, where it is known."""
    unfamiliar: str = ""
    """What its screen shows, where that fits nothing that is known and no signal says what it is: outside text."""


_DOES = {
    ActivityState.STARTING: "is starting",
    ActivityState.BUSY: "works",
    ActivityState.IDLE: "waits for text",
    ActivityState.ASKING: "asks something",
    ActivityState.PERMISSION: "asks for leave",
    ActivityState.LIMITED: "has to wait for its model's provider",
    ActivityState.BLOCKED: "cannot go on by itself",
    ActivityState.EXITED: "has ended",
}
_SOURCES = {
    Source.HOOK: "its own signal",
    Source.STATUS_FILE: "its status file",
    Source.TRANSCRIPT: "its transcript",
    Source.TITLE: "its terminal's title",
    Source.SCREEN: "its screen",
}
_OWN = frozenset({Source.HOOK, Source.STATUS_FILE, Source.TRANSCRIPT})


def in_words(activity: Activity) -> str:
    """What the agent does and which source says so, for a person: no names of events or states."""
    does = _DOES.get(activity.state)
    if does is None:
        return activity.evidence or "no source says what the agent does"
    source = _SOURCES.get(activity.source)
    return f"the agent {does}, by {source}" if source else f"the agent {does}"


def shown(activity: Activity, otherwise: str) -> str:
    """What the agent shows a person: its dialog, or what a look saw; `otherwise` where it only signalled."""
    if activity.dialog is not None and activity.dialog.text.strip():
        return activity.dialog.text.strip().split("\n", 1)[0][:200]
    return otherwise if activity.source in _OWN else activity.evidence or otherwise


class ReceiptStage(StrEnum):
    """How far a message to the agent has come, as its own signals tell."""

    ACCEPTED = "accepted"
    WORKING = "working"
    ANSWERED = "answered"
    INTERRUPTED = "interrupted"
    """Its turn was stopped before the agent did anything about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The agent's own word that it has a message."""

    text_digest: str
    """`domain.message.digest` of the text that the agent says it got."""
    stage: ReceiptStage
    at: float
    """When that stage was reached."""
    evidence: str = ""
    accepted_at: float = 0.0
    """When the agent got the text; tells two receipts for one text apart."""

    @property
    def since(self) -> float:
        """When the agent got the text, as far as it is known."""
        return self.accepted_at or self.at
