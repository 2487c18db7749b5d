"""Have the forge bring the newest base into a session's pull request."""

from __future__ import annotations

from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import Actor
from orchestrator.domain.session import Session
from orchestrator.lifecycle import pull_requests
from orchestrator.services import ended
from orchestrator.services.core import Core


async def update_branch(core: Core, session_id: SessionId, *, by: Actor) -> Session:
    """At the head that is known; its agent is told. Raises `Conflict`, `NotReady`."""
    await ended.refuse(core, session_id)
    session = core.fleet.get(session_id)
    head = pull_requests.open_pull(session).head
    await pull_requests.update_branch(core.fleet, session, by=str(by))
    await core.audit(by, "update-branch", session_id, head)
    return core.fleet.get(session_id)
