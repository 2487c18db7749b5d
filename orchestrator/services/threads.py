"""Review threads of a session's pull request: which are open, and a person's word that one is settled."""

from __future__ import annotations

from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import Actor
from orchestrator.domain.pull_request import ReviewComment
from orchestrator.domain.session import Session
from orchestrator.lifecycle import pull_requests
from orchestrator.services import ended
from orchestrator.services.core import Core


async def resolve(core: Core, session_id: SessionId, thread: str, *, by: Actor) -> Session:
    """Mark a thread as resolved. Repeatable. Raises `NotFound` for one that is not there."""
    await ended.refuse(core, session_id)
    await pull_requests.resolve(core.fleet, core.fleet.get(session_id), thread, by=str(by))
    await core.audit(by, "resolve", session_id, text=thread)
    return core.fleet.get(session_id)


def open_threads(session: Session) -> tuple[ReviewComment, ...]:
    """The first remark of each thread that is not resolved, as last seen."""
    firsts: dict[str, ReviewComment] = {}
    for comment in pull_requests.open_pull(session).comments:
        if comment.thread and not comment.resolved:
            firsts.setdefault(comment.thread, comment)
    return tuple(firsts.values())
