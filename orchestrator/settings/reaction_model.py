"""Keys of one reaction in a configuration; each left out keeps what the built-in table says."""

from __future__ import annotations

from pydantic import Field

from orchestrator.domain.event import Level
from orchestrator.domain.rules import ReactionAction
from orchestrator.settings.base import Keys
from orchestrator.settings.values import Count, Seconds, TriesOrSeconds


class Reaction(Keys):
    """What is done when something happens to a session."""

    auto: bool | None = Field(
        default=None,
        description="Done by itself. False: people are told, and the action waits for one of them: "
        "`ao retry SESSION --send` sends, `ao merge SESSION` merges.",
    )
    action: ReactionAction | None = Field(
        default=None, description="Write to the agent, tell people, or merge once every condition holds."
    )
    message: str | None = Field(
        default=None,
        max_length=10_000,
        description="What the agent is told; the particulars follow it. Never expanded: `${NAME}` stays as it is.",
    )
    priority: Level | None = Field(
        default=None, description="How much it matters to the people who are told."
    )
    retries: Count | None = Field(
        default=None, description="Tries before people are told; one red head is one try."
    )
    escalate_after: TriesOrSeconds | None = Field(
        default=None,
        description="People are told after so many tries (2), or so long after the first one (30m).",
    )
    threshold: Seconds | None = Field(
        default=None, description="How long it must have been so before anything is done."
    )
    include_summary: bool | None = Field(
        default=None, description="`all-complete`: the notification says of each session how it ended."
    )
