"""Merge a session's pull request at the head that the person saw."""

from __future__ import annotations

from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import Actor
from orchestrator.domain.session import Session
from orchestrator.errors import Conflict
from orchestrator.lifecycle import changes, react
from orchestrator.lifecycle.draft import Draft
from orchestrator.services import ended
from orchestrator.services.core import Core
from orchestrator.services.head import open_change


async def merge(core: Core, session_id: SessionId, *, head: str, by: Actor) -> Session:
    """Keep the intent; the ring merges. Raises `Conflict` for a moved head or anything that holds it."""
    await ended.refuse(core, session_id)
    full = open_change(core.fleet.get(session_id), head).pr.head

    def how(draft: Draft) -> None:
        change = open_change(draft.session, full)
        pending = draft.intent("merge")
        if pending is not None:
            msg = f"{pending.data.get('by')} merges it already."
            raise Conflict(msg, session=session_id)
        rules = core.settings.rules(draft.session.project)
        held = str(draft.session.hold) if draft.session.hold else ""
        blockers = changes.merge_blockers(change, rules, held_by=held)
        if blockers:
            msg = f"#{change.pr.number} cannot be merged: {'; '.join(blockers)}."
            raise Conflict(msg, session=session_id)
        react.ask_merge(draft, full, by=str(by))

    session = await core.fleet.change(session_id, how)
    await core.audit(by, "merge", session_id, full)
    return session
