"""The one word that people see for a session's state, derived in `lifecycle.decide`."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """What people see. Each member says what it means to them."""

    QUEUED = "queued"
    """Waits for a free place."""
    SPAWNING = "spawning"
    """Its workspace and agent are being made."""
    WORKING = "working"
    WAITING_INPUT = "waiting_input"
    """The agent asks a person."""
    IDLE = "idle"
    """The agent's turn is over; nothing is asked and nothing is open."""
    PAUSED = "paused"
    LIMITED = "limited"
    """The model's provider makes it wait."""
    STUCK = "stuck"
    """Somebody should look: no progress where progress was due."""
    DETECTING = "detecting"
    """We cannot tell yet whether it lives; bounded."""
    PR_OPEN = "pr_open"
    CI_FAILED = "ci_failed"
    REVIEW_PENDING = "review_pending"
    CHANGES_REQUESTED = "changes_requested"
    CONFLICTED = "conflicted"
    APPROVED = "approved"
    """Approved, but something else still holds the merge."""
    MERGEABLE = "mergeable"
    MERGING = "merging"
    MERGED = "merged"
    DONE = "done"
    ERRORED = "errored"
    KILLED = "killed"


ENDED = frozenset({Status.MERGED, Status.DONE, Status.ERRORED, Status.KILLED})
"""Nothing more happens by itself, save the clean-up."""

NEEDS_PERSON = frozenset(
    {Status.WAITING_INPUT, Status.STUCK, Status.ERRORED, Status.MERGEABLE, Status.REVIEW_PENDING}
)
"""A person is needed for it to go on."""
