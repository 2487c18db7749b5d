"""Take a session's pull request out of draft and back."""

from __future__ import annotations

from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import Actor
from orchestrator.domain.session import Session
from orchestrator.lifecycle import pull_requests
from orchestrator.services import ended
from orchestrator.services.core import Core


async def set_draft(core: Core, session_id: SessionId, *, draft: bool, by: Actor) -> Session:
    """A draft is nothing to review or merge yet. Repeatable. Raises `NotFound`, `Conflict`, `NotReady`."""
    await ended.refuse(core, session_id)
    await pull_requests.set_draft(core.fleet, core.fleet.get(session_id), draft=draft, by=str(by))
    await core.audit(by, "draft" if draft else "ready", session_id)
    return core.fleet.get(session_id)
