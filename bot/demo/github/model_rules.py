"""The rules of a branch."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Protection:
    """What must hold before a merge into a branch."""

    checks: list[str] = field(default_factory=list)
    """Names of required check runs or statuses."""
    strict: bool = False
    """The head must hold the newest base."""
    approvals: int | None = None
    """None: no review is asked for."""
    code_owners: bool = False
    dismiss_stale: bool = False
    conversations: bool = False
    """All threads must be resolved."""
    admins: bool = False
    """Holds for admins too."""
    merge_queue: bool = False
    linear: bool = False


@dataclass(slots=True, kw_only=True)
class Ruleset:
    """A ruleset: the same rules for branches that match."""

    id: int
    name: str
    branches: list[str]
    """Names, `~DEFAULT_BRANCH` or `~ALL`."""
    rules: Protection
    methods: list[str] = field(default_factory=lambda: ["merge", "squash", "rebase"])
