"""Merge a session's pull request at the head that the person saw."""

from __future__ import annotations

from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import Actor
from orchestrator.domain.pull_request import ReviewDecision
from orchestrator.domain.rules import Rules
from orchestrator.domain.session import Change, Session
from orchestrator.errors import Conflict
from orchestrator.lifecycle import changes, merging
from orchestrator.lifecycle.draft import Draft
from orchestrator.services import ended
from orchestrator.services.core import Core
from orchestrator.services.head import open_change


async def merge(core: Core, session_id: SessionId, *, head: str, by: Actor) -> Session:
    """Keep the intent; the ring merges. Raises `Conflict` for a moved head or anything that holds it."""
    await ended.refuse(core, session_id)
    full = open_change(core.fleet.get(session_id), head).pr.head

    def how(draft: Draft) -> None:
        refuse(core, draft.session, full)
        merging.ask(draft, full, by=str(by), via=by.via)

    session = await core.fleet.change(session_id, how)
    await core.audit(by, "merge", session_id, full)
    return session


def refuse(core: Core, session: Session, head: str) -> None:
    """Raise `Conflict` with everything that holds the merge at `head` now, and what releases it."""
    change = open_change(session, head)
    pending = merging.intent_of(session)
    if pending is not None:
        msg = f"{pending.data.get('by')} merges it already."
        raise Conflict(msg, session=session.id, next_step=f"`ao status {session.id}` shows how far it is.")
    rules = core.settings.rules(session.project)
    held = str(session.hold) if session.hold else ""
    blockers = changes.merge_blockers(change, rules, held_by=held)
    if blockers:
        msg = f"#{change.pr.number} cannot be merged: {'; '.join(blockers)}."
        raise Conflict(msg, session=session.id, next_step=_next_step(session, change, rules))


def _next_step(session: Session, change: Change, rules: Rules) -> str:
    """What a person can do about it; what only time or the agent can mend is shown by the status."""
    asked = change.pr.decision is ReviewDecision.CHANGES_REQUESTED
    steps = (
        (not asked and not changes.approved(change, rules), "approve"),
        (session.hold is not None, "unhold"),
    )
    verbs = [verb for holds, verb in steps if holds] or ["status"]
    return f"Next: {', '.join(f'`ao {verb} {session.id}`' for verb in verbs)}."
