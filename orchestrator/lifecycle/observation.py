"""What one round of looking brought back for one session. Values only."""

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


NOTHING = Observation()
