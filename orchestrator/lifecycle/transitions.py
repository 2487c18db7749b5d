"""Which status may follow which, refused here if not; and the events that a move tells. Pure."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.domain.activity import FLEET_TROUBLES
from orchestrator.domain.event import Level
from orchestrator.domain.rules import Rules
from orchestrator.domain.status import Status
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
    # A person's kill is final: only a restore (which sets up again) leads on. A merge is so from the
    # clean-up on, which is wanted and therefore comes first; before, the agent may open another.
    Status.KILLED: _AGAIN,
}
"""Moves that may happen. Anything else is a defect of ours: the status stays, the facts are kept."""

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


def settle(draft: Draft, rules: Rules) -> None:
    """Derive the status of the draft; refuse an illegal move, tell a legal one."""
    old = draft.session.status
    new = status.derive(draft.session, rules, draft.now)
    if new.status is old.status:
        if (new.reason, new.evidence) != (old.reason, old.evidence):
            draft.set(status=new)
        return
    if new.status not in LEGAL[old.status]:
        _refuse(draft, f"{old.status.value} may not become {new.status.value} ({new.reason})")
        return
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


def _refuse(draft: Draft, words: str) -> None:
    """The status stays, with the reason. Raising would drop what was seen, and with it every later look."""
    old = draft.session.status
    if old.reason != words:
        draft.set(status=replace(old, reason=words))
        draft.tell("session.illegal_move", f"a defect of ao: {words}", Level.WARNING)
