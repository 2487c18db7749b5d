"""End a session. Its work is saved first; the ring does it step by step."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import Actor
from orchestrator.domain.pull_request import PullRequestState
from orchestrator.domain.session import Session, StopReason, Wanted, WantedState
from orchestrator.errors import AoError
from orchestrator.lifecycle import forge, merging
from orchestrator.lifecycle.draft import Draft
from orchestrator.services import ended
from orchestrator.services.core import Core

log = logging.getLogger(__name__)
LOOK_LIMIT = 2.0
"""Seconds that a person is kept waiting for facts."""


async def kill(core: Core, session_id: SessionId, *, by: Actor) -> Session:
    """Want the session to stop. Repeatable: a session that ends already ends as it was asked first."""
    await ended.refuse(core, session_id)

    def how(draft: Draft) -> None:
        if draft.session.wanted.state is WantedState.STOP:
            return
        stop(draft, by)

    return await core.fleet.change(session_id, how)


async def as_it_is(core: Core, session: Session) -> Session:
    """The session with its workspace as it is now, for whoever decides by it; as last seen where that takes long."""
    if session.ended or not session.workspace:
        return session
    try:
        async with asyncio.timeout(LOOK_LIMIT):
            look = await forge.look_at_workspace(core.fleet, session)
    except (AoError, TimeoutError) as error:
        log.info("the facts are those of the last look: %s", error, extra={"session": session.id})
        return session
    return replace(session, dirty=look.dirty, local_head=look.head)


def stop(draft: Draft, by: Actor, words: str = "") -> None:
    """A person wants it to end. What is merged stays called merged."""
    change = draft.session.change
    merged = change is not None and change.pr.state is PullRequestState.MERGED
    reason = StopReason.MERGED if merged else StopReason.KILLED
    before = f"#{change.pr.number} is in {change.pr.base}; " if change is not None and merged else ""
    if not merged:
        merging.take_back(draft, by=str(by))  # also out of the forge's queue: nobody would follow it there
    said = words or f"{before}ended by {by}"
    draft.set(wanted=Wanted(state=WantedState.STOP, by=by, at=draft.now, reason=reason, words=said))
    draft.tell("session.kill_asked", f"{by} ends it", by=str(by))
