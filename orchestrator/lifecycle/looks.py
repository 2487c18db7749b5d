"""Which looks are due for a session now. Pure.

A woken session is looked at whole. Otherwise what may change soon is looked at often and what rests
is looked at rarely, so that a fleet that idles costs next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.activity import ActivityState
from orchestrator.domain.message import OPEN_STAGES
from orchestrator.domain.pull_request import Checks, Mergeable
from orchestrator.domain.session import Session, SetupStep, WantedState
from orchestrator.lifecycle.changes import OPEN

AGENT_BUSY = 2.0
AGENT_IDLE = 15.0
WORKSPACE_BUSY = 60.0
REQUESTS = 15.0
FORGE_SOON = 2.0
FORGE_LATER = 30.0
RESTING = frozenset({ActivityState.IDLE, ActivityState.EXITED, ActivityState.LIMITED, ActivityState.BLOCKED})
"""Nothing changes by itself soon while an agent does this."""


@dataclass(slots=True)
class Looked:
    """When each look at one session was last made, and what it is to notice."""

    agent: float = -1e18
    workspace: float = -1e18
    forge: float = -1e18
    requests: float = -1e18
    turns: str = ""
    """The activity at the last look at the workspace: a turn that ended since calls for another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """The looks to make now."""

    runtime: bool = False
    agent: bool = False
    workspace: bool = False
    forge: bool = False
    requests: bool = False


NONE = Due()


def due(session: Session, looked: Looked, now: float, *, woken: bool) -> Due:
    """The looks that are due for one session."""
    if session.setup.step is not SetupStep.READY or session.wanted.state is WantedState.STOP:
        return NONE
    return Due(
        runtime=True,
        agent=woken or now - looked.agent >= _agent_interval(session),
        workspace=woken or _workspace(session, looked, now),
        forge=woken or now - looked.forge >= _forge_interval(session),
        requests=woken or now - looked.requests >= REQUESTS,
    )


def _agent_interval(session: Session) -> float:
    rests = session.work.activity.state in RESTING and not unsettled(session)
    return AGENT_IDLE if rests else AGENT_BUSY


def unsettled(session: Session) -> bool:
    """A message to its agent is still on its way."""
    return any(m.stage in OPEN_STAGES for m in session.messages)


def _workspace(session: Session, looked: Looked, now: float) -> bool:
    state = session.work.activity.state
    if looked.turns != state.value and state in RESTING:
        return True
    return state not in RESTING and now - looked.workspace >= WORKSPACE_BUSY


def _forge_interval(session: Session) -> float:
    change = session.change
    if change is None or change.pr.state not in OPEN:
        return FORGE_LATER
    waits = change.pr.checks is Checks.PENDING or change.pr.mergeable is Mergeable.UNKNOWN
    return FORGE_SOON if waits or change.unseen else FORGE_LATER
