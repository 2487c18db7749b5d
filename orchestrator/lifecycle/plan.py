"""Facts -> the acts that are due now, in the order in which they matter. Pure."""

from __future__ import annotations

from orchestrator.domain.activity import ActivityState
from orchestrator.domain.session import (
    EndingStep,
    RuntimeState,
    Session,
    SetupStep,
    StopReason,
    WantedState,
)
from orchestrator.lifecycle import acts, delivery
from orchestrator.lifecycle.changes import OPEN

_ENDING: dict[EndingStep, acts.Act] = {
    EndingStep.NONE: acts.StopRuntime(),
    EndingStep.RUNTIME: acts.SaveWork(),
    EndingStep.RESCUE: acts.RemoveWorkspace(),
    EndingStep.DONE: acts.Archive(),
}
_SETUP: dict[SetupStep, acts.Act] = {
    SetupStep.RESERVING: acts.MakeWorkspace(),
    SetupStep.WORKSPACE: acts.MakeWorkspace(),
    SetupStep.STARTING: acts.StartAgent(),
}


def due(session: Session, now: float) -> tuple[acts.Act, ...]:
    """What is to be done for this session now. Acts of one key never run twice at a time.

    What failed is due all the same: how long it waits is the back-off's business alone.
    """
    if session.wanted.state is WantedState.STOP:
        return (_ending(session),)
    if any(i.key == "merge" for i in session.intents):
        intent = next(i for i in session.intents if i.key == "merge")
        return (acts.Merge(head=intent.data["head"]),)
    if session.wanted.state is WantedState.PAUSE:
        return ()
    if session.setup.step is not SetupStep.READY:
        step = _SETUP.get(session.setup.step)
        return () if step is None else (step,)
    return tuple(_running(session, now))


def _ending(session: Session) -> acts.Act:
    if session.ending.step is EndingStep.WORKSPACE:
        return _tracker(session) or acts.TidyForge()
    return _ENDING[session.ending.step]


def _running(session: Session, now: float) -> list[acts.Act]:
    found: list[acts.Act] = [
        acts.DeliverAnswer(question=q.id)
        for q in session.questions
        if q.answered_at is not None and not q.delivered and not q.withdrawn
    ]
    found += _typing(session, now)
    if _ahead(session):
        found.append(acts.Publish(head=session.local_head))
    tell = _tracker(session)
    if tell is not None:
        found.append(tell)
    return found


def _typing(session: Session, now: float) -> list[acts.Act]:
    late = delivery.overdue(session, now)
    if late is not None:
        waits = session.work.activity.accepts_text and session.runtime.state is RuntimeState.ALIVE
        return [acts.PressEnter(number=late.number)] if waits and late.tries < delivery.TRIES else []
    message = delivery.next_to_type(session)
    return [] if message is None else [acts.TypeMessage(number=message.number)]


def _ahead(session: Session) -> bool:
    """The turn ended, and the branch has commits that its open pull request has not."""
    change = session.change
    if change is None or change.pr.state not in OPEN or not session.local_head:
        return False
    busy = session.work.activity.state in {ActivityState.BUSY, ActivityState.STARTING}
    return not busy and session.local_head not in {change.pr.head, session.published}


def _tracker(session: Session) -> acts.TellTracker | None:
    """The issue's state that the tracker has not been told yet."""
    if not session.task.issue:
        return None
    # What is merged closed the issue, whatever the session goes on with: it is not opened again by us.
    merged = session.merged is not None
    state = "closed" if merged else "in_progress"
    if session.wanted.state is WantedState.STOP and not merged:
        state = (
            "open" if session.wanted.reason in {StopReason.KILLED, StopReason.FAILED} else session.issue_told
        )
    if state == session.issue_told or (state == "open" and not session.issue_told):
        return None
    return acts.TellTracker(state=state)
