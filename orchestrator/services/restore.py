"""Bring a session back: an ended one, or one whose agent died. In its own conversation where it can."""

from __future__ import annotations

from dataclasses import dataclass, replace

from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import Actor
from orchestrator.domain.session import (
    Ending,
    Session,
    SetupStep,
    Wanted,
    WantedState,
)
from orchestrator.errors import AoError, Conflict, NotFound
from orchestrator.lifecycle import setup
from orchestrator.lifecycle.draft import Draft
from orchestrator.services import ended
from orchestrator.services.core import Core


async def restore(core: Core, session_id: SessionId, *, by: Actor, rescue: str = "") -> Session:
    """Set the session up again, starting from its rescued work if there is any.

    `rescue` names another rescue ref of it. Raises `Conflict` while it lives or is still ending, and
    `NotFound` when its project was taken out of the configuration.
    """
    async with core.restoring:
        if session_id in {s.id for s in core.fleet.all()}:
            return await _dead(core, session_id, by, rescue)
        session = await ended.one(core, session_id)
        core.settings.project(session.project)
        fresh = _fresh(session, core.clock.now(), by, _start(session, rescue))
        restored = await core.fleet.add(fresh, lambda d: _told(d, by), restored=True)
    core.fleet.wake(session_id)
    return restored


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreOutcome:
    """What became of one session of many."""

    id: SessionId
    error: AoError | None = None


async def restore_all(core: Core, *, by: Actor) -> list[RestoreOutcome]:
    """Have every session restored whose agent is gone and that nobody ended; a few start a minute.

    A paused one starts once it is released. One that cannot be restored does not stop the others.
    """
    lost = [s.id for s in core.fleet.live() if s.runtime.gone and s.wanted.state is not WantedState.STOP]
    outcomes = []
    for session_id in lost:
        try:
            await _dead(core, session_id, by, "")
            outcomes.append(RestoreOutcome(id=session_id))
        except AoError as error:
            outcomes.append(RestoreOutcome(id=session_id, error=error))
    return outcomes


async def _dead(core: Core, session_id: SessionId, by: Actor, rescue: str) -> Session:
    """It is not ended, but its agent is gone: workspace and facts are kept, the agent starts again."""

    def how(draft: Draft) -> None:
        session = draft.session
        if session.wanted.state is WantedState.STOP:
            msg = "it is still ending."
            raise Conflict(msg, session=session_id, next_step="Try again in a moment.")
        if not session.runtime.gone and session.setup.step is SetupStep.READY:
            msg = f"its agent is there ({session.status.status.value})."
            raise Conflict(msg, session=session_id, next_step="Nothing needs to be restored.")
        if not session.runtime.gone and not session.failed:
            who = f"{session.wanted.by} restores it already" if session.setup.resume else "it is being set up"
            msg = f"{who} ({session.setup.step.value})."
            raise Conflict(msg, session=session_id)
        # One that never came to work has no conversation to go on in.
        draft.session = setup.again(session, draft.now, resume=session.setup.resume or not session.failed)
        if session.wanted.state is WantedState.RUN:
            draft.set(wanted=replace(session.wanted, by=by, at=draft.now))
        if rescue:
            draft.set(restored_from=_start(session, rescue))
        _told(draft, by)

    changed = await core.fleet.change(session_id, how)
    core.fleet.wake(session_id)
    return changed


def _told(draft: Draft, by: Actor) -> None:
    draft.tell("session.restored", f"{by} restores it", by=str(by))


def _start(session: Session, rescue: str) -> str:
    """The commit to start from: the named rescue, else the newest, else the newest known commit."""
    if rescue:
        for kept in session.rescues:
            if rescue in {kept.ref, kept.commit}:
                return kept.commit
        msg = f"{session.id} has no rescue {rescue}."
        raise NotFound(msg, next_step="`ao rescue ls` lists them.")
    return session.rescues[-1].commit if session.rescues else session.local_head


def _fresh(session: Session, now: float, by: Actor, start: str) -> Session:
    """The ended session as it begins again. A merged or closed pull request is history by then."""
    past = {*session.past, *(c.pr.number for c in session.changes if c.pr.over)}
    again = setup.again(session, now, resume=True)
    return replace(
        again,
        wanted=Wanted(state=WantedState.RUN, by=by, at=now),
        past=tuple(sorted(past)),
        ending=Ending(),
        restored_from=start,
        attempts=(),
        intents=(),
        # What is merged closed its issue; who opened it again meanwhile did so on purpose.
        issue_told=session.issue_told if session.merged else "",
        outbox=(),
    )
