"""What one round of looking brought back for one session. Pure: values only."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.look import Look
from orchestrator.domain.pull_request import PullRequest
from orchestrator.ports.agent import AgentLook
from orchestrator.ports.runtime import RuntimeLook
from orchestrator.ports.workspace import WorkspaceLook


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One session as just seen. None means: nobody looked this time, which says nothing."""

    runtime: Look[RuntimeLook] | None = None
    agent: Look[AgentLook] | None = None
    workspace: Look[WorkspaceLook] | None = None
    pull_request: Look[PullRequest | None] | None = None

    def adds_nothing_to(self, before: Observation) -> bool:
        """Everything that was looked at now is as it was seen before."""
        return (
            self.runtime in (None, before.runtime)
            and self.agent in (None, before.agent)
            and self.workspace in (None, before.workspace)
            and self.pull_request in (None, before.pull_request)
        )

    def over(self, before: Observation) -> Observation:
        """What is known of everything: what was seen now, and for the rest what was seen before."""
        return Observation(
            runtime=self.runtime or before.runtime,
            agent=self.agent or before.agent,
            workspace=self.workspace or before.workspace,
            pull_request=self.pull_request or before.pull_request,
        )


NOTHING = Observation()
