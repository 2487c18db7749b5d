"""Slot `agent`: how to launch one kind of coding agent, and how to read its own signals."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from orchestrator.domain.activity import Activity, Dialog, Receipt, ToolCall
from orchestrator.domain.activity import Verdict as Verdict  # noqa: PLC0414 - for plugins, a part of this port
from orchestrator.domain.ids import SessionId
from orchestrator.domain.look import Look
from orchestrator.domain.usage import Usage
from orchestrator.ports.place import Place
from orchestrator.ports.plugin import Slot
from orchestrator.ports.runtime import Keys, Launch, RuntimeLook, Text
from orchestrator.ports.session_ref import SessionRef


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentTask:
    """What the agent is started with. The prompt also lies in `<place.folder>/prompt.md`."""

    prompt: str
    """The task as the agent should read it; outside text in it is fenced and labelled."""
    resume: bool = False
    """Go on in the agent's own conversation, where there is one."""
    conversation: str = ""
    """The agent's own name of that conversation, from an earlier look."""
    remembered: Mapping[str, str] = field(default_factory=dict)
    """What people answered to dialogs of this agent that hold for the project, by the dialog's kind."""
    judged: frozenset[str] = frozenset()
    """Tools of which each call is judged by our rules before it runs (`JudgesCalls`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """How to start the agent, and whether the task is in the launch already."""

    launch: Launch
    prompt_given: bool
    """False: the prompt must be typed once the agent's prompt waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentView:
    """What an agent plugin looks through: the session, its place, and its terminal as just seen."""

    session: SessionRef
    place: Place
    runtime: RuntimeLook


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentLook:
    """What an agent's own signals say."""

    activity: Activity
    receipts: tuple[Receipt, ...] = ()
    """What it says of messages that it got."""
    conversation: str = ""
    disagreement: str = ""
    """Sources that contradict each other, in words."""
    signal_at: float = 0.0
    """When its newest signal of any kind was made; 0 without one."""
    usage: Usage | None = None
    """What this conversation has used so far; None where the agent says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFile:
    """An answer for a hook of the agent that waits for it: a file that the hook takes away by renaming it."""

    path: str
    """In the session's place."""
    data: bytes
    otherwise: Keys | None = None
    """What chooses the same on the agent's screen, should the hook wait no more."""


class Agent(Protocol):
    """One kind of coding agent."""

    async def prepare(self, session: SessionRef, place: Place, task: AgentTask) -> Prepared:
        """Write what the agent needs into its folder and say how to launch it. Repeatable.

        Never writes into the workspace: it stays clean for the agent's own work.
        """

    async def observe(self, views: Collection[AgentView]) -> Mapping[SessionId, Look[AgentLook]]:
        """Read each agent's signals: hook events, status file, transcript, title, screen last.

        One answer for each view, never raising for one.
        """

    def needs_screen(self, session: SessionRef) -> bool:
        """Whether this agent's own signals do not suffice, so that its screen must be read."""

    async def answer(
        self, session: SessionRef, place: Place, dialog: Dialog, answer: str
    ) -> Text | Keys | AnswerFile:
        """What to give the terminal, or a hook that waits, so that `answer` is chosen in `dialog`.

        `answer` is an option, or an option's words with a reason behind a colon; where several may be chosen,
        options with commas between. Of a dialog with several questions it answers the last, and
        `dialog.given` holds the answers to the others. Raises `BadInput`.
        """

    async def interrupt(self, session: SessionRef) -> Keys:
        """The keys that make the agent stop its turn and wait at its prompt."""


@runtime_checkable
class ClearsPrompt(Protocol):
    """An agent that puts text back into its prompt: when it is interrupted before it began with it."""

    def clear(self) -> Keys:
        """The keys that empty its prompt."""


@runtime_checkable
class JudgesCalls(Protocol):
    """An agent that asks before it runs a tool, whatever its permission mode is."""

    def tool_call(self, payload: str) -> ToolCall | None:
        """The call that the agent's hook tells of; None when it is none that can be read."""

    def verdict(self, verdict: Verdict, reason: str) -> str:
        """What the hook is to print, so that the agent does so. `reason` is told to the agent."""


@runtime_checkable
class Launches(Protocol):
    """An agent whose program is known before a session is made."""

    def launched_as(self) -> str:
        """The first word of its launch line, to be found on this host; empty when that cannot be known."""


AGENT: Slot[Agent] = Slot("agent")
