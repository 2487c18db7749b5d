"""Which status may follow which, refused here if not; and the events that a move tells. Pure."""

from __future__ import annotations

from orchestrator.domain.activity import FLEET_TROUBLES
from orchestrator.domain.event import Level
from orchestrator.domain.rules import Rules
from orchestrator.domain.status import Status
from orchestrator.errors import AoError
from orchestrator.lifecycle import status
from orchestrator.lifecycle.draft import Draft

_LIVE = frozenset(Status) - {Status.QUEUED, Status.SPAWNING}
_AGAIN = frozenset({Status.QUEUED, Status.SPAWNING})

LEGAL: dict[Status, frozenset[Status]] = {
    **dict.fromkeys(_LIVE, _LIVE | _AGAIN),
    # A restored one that waits for a place may have a pull request that can be merged.
    Status.QUEUED: frozenset(
        {Status.SPAWNING, Status.PAUSED, Status.MERGING, Status.KILLED, Status.ERRORED, Status.DONE}
    ),
    Status.SPAWNING: _LIVE | {Status.QUEUED},
    # A person's kill and a merge are final: only a restore (which sets up again) leads on.
    Status.KILLED: _AGAIN,
    Status.MERGED: _AGAIN,
}
"""Moves that may happen. Anything else is a defect of ours and is refused."""

_TOLD: dict[Status, Level] = {
    Status.QUEUED: Level.INFO,
    Status.SPAWNING: Level.INFO,
    Status.WORKING: Level.INFO,
    Status.WAITING_INPUT: Level.INFO,
    Status.IDLE: Level.INFO,
    Status.PAUSED: Level.INFO,
    Status.LIMITED: Level.WARNING,
    Status.STUCK: Level.URGENT,
    Status.DETECTING: Level.INFO,
    Status.MERGING: Level.INFO,
    Status.MERGED: Level.INFO,
    Status.DONE: Level.INFO,
    Status.ERRORED: Level.URGENT,
    Status.KILLED: Level.INFO,
    Status.REVIEW_PENDING: Level.ACTION,
    Status.MERGEABLE: Level.ACTION,
}
_NAMES = {Status.REVIEW_PENDING: "review.pending", Status.MERGEABLE: "merge.ready"}


class IllegalMove(AoError):
    """A status that may not follow the one before: a defect of ours, refused and told."""

    code = "illegal-move"


def settle(draft: Draft, rules: Rules) -> None:
    """Derive the status of the draft; refuse an illegal move, tell a legal one."""
    old = draft.session.status
    new = status.derive(draft.session, rules, draft.now)
    if new.status is old.status:
        if (new.reason, new.evidence) != (old.reason, old.evidence):
            draft.set(status=new)
        return
    if new.status not in LEGAL[old.status]:
        msg = f"{old.status.value} may not become {new.status.value} ({new.reason})"
        raise IllegalMove(msg, session=draft.session.id)
    draft.set(status=new)
    level = _TOLD.get(new.status)
    if level is not None:
        trouble = draft.session.work.activity.trouble
        together = draft.session.runtime.lost or (new.status is Status.STUCK and trouble in FLEET_TROUBLES)
        level = Level.INFO if together else level
        kind = _NAMES.get(new.status, f"session.{new.status.value}")
        pr = draft.session.change.pr if draft.session.change else None
        shown = {"head": pr.head, "url": pr.url} if pr else {}
        told = {"trouble": trouble.value} if trouble is not None else {}
        draft.tell(kind, new.reason, level, was=old.status.value, status=new.status.value, **shown, **told)
