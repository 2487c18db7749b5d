"""A person's review that was kept here and is not on the forge yet."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.person import Actor
from orchestrator.domain.pull_request import ReviewDecision


@dataclass(frozen=True, slots=True, kw_only=True)
class UncarriedReview:
    """Kept before the forge is asked, taken away once it took it or refused it."""

    by: Actor
    head: str
    decision: ReviewDecision
    """Approved, or changes requested."""
    at: float
    """When it was given, or when the forge last did not answer."""
    wait: float
    """Seconds from then on in which nobody else carries it."""
    body: str = ""
    """What should change, in the person's words."""
    reason: str = ""
    """Why the forge has not got it, once it did not answer; empty while whoever gave it waits for that."""

    @property
    def verb(self) -> str:
        """What the person did, in words."""
        return "approved" if self.decision is ReviewDecision.APPROVED else "asks for changes at"

    def same(self, other: UncarriedReview) -> bool:
        """The same review of the same person, however often it was tried."""
        mine = (self.by, self.head, self.decision, self.body)
        return mine == (other.by, other.head, other.decision, other.body)
