"""What is to be done when something happens to a session: reactions and thresholds of a project.

Made by `orchestrator.settings` from the configuration, with every override already merged in;
read by `lifecycle`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from orchestrator.domain.event import Level
from orchestrator.domain.guard import Guard
from orchestrator.domain.policy import KeptRule, Policy, Remembered

ReactionAction: TypeAlias = Literal["send-to-agent", "notify", "auto-merge"]
"""What a reaction does: writes to the agent, tells people, or merges when every condition holds."""

MergeMethod: TypeAlias = Literal["merge", "squash", "rebase"]
"""How a pull request gets into its base branch."""

OnMerge: TypeAlias = Literal["close", "comment", "leave"]
"""What a merge does to the issue: closes it, or says so there, or nothing."""

RestorePolicy: TypeAlias = Literal["ask", "auto"]
"""What happens to sessions whose agents a reboot took away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionRule:
    """One reaction. Escalation comes with whichever limit is reached first."""

    key: str
    """What it answers to: `ci-failed`."""
    auto: bool
    """False: people are told, and the action waits for a person (`ao retry --send`, `ao merge`)."""
    action: ReactionAction
    message: str = ""
    """What the agent is told, before the particulars; empty unless the action sends."""
    priority: Level = Level.INFO
    retries: int | None = None
    """How often the action is tried before people are told; None is without limit."""
    escalate_after_count: int | None = None
    """People are told after this many tries."""
    escalate_after: float | None = None
    """People are told this many seconds after the first try."""
    threshold: float | None = None
    """Seconds that the condition must have held before anything is done."""
    include_summary: bool = False
    """The notification says of each session how it ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All that decides by itself in one project."""

    reactions: Mapping[str, ReactionRule] = field(default_factory=dict)
    approvals: int = 1
    """Approvals that a pull request needs; 0 needs none."""
    approvers: frozenset[str] | None = None
    """Whose approvals and merges count here now, in lower case; None: everybody's, as no people are known."""
    stuck_after: float = 600.0
    """Seconds without progress, where progress was due, after which a session is stuck."""
    detecting_for: float = 300.0
    """Seconds at most that a session may be in doubt."""
    detecting_looks: int = 3
    """Looks in a row without a sign of life before it counts as dead."""
    merge_method: MergeMethod = "squash"
    on_merge: OnMerge = "close"
    cleanup_on_merge: bool = True
    """A merged session's workspace and terminal are taken down."""
    cleanup_grace: float = 300.0
    """Seconds that taking down waits after the merge for a busy agent."""
    restore: RestorePolicy = "ask"
    guard: Guard = field(default_factory=Guard)
    """What of a push waits for a person."""
    policy: Policy = field(default_factory=Policy)
    """What agents may run, as the configuration says."""
    kept: tuple[KeptRule, ...] = ()
    """What people allowed always, each rule in its own scope."""
    remembered: tuple[Remembered, ...] = ()
    """Answers that hold for every session."""
