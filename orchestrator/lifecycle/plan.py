"""Facts -> the acts that are due now, in the order in which they matter. Pure."""

from __future__ import annotations

from orchestrator.domain.activity import ActivityState
from orchestrator.domain.session import (
    EndingStep,
    Question,
    RuntimeState,
    Session,
    SetupStep,
    WantedState,
)
from orchestrator.domain.status import Status
from orchestrator.lifecycle import acts, delivery, merging, uncarried
from orchestrator.lifecycle.changes import OPEN

_ENDING: dict[EndingStep, acts.Act] = {
    EndingStep.NONE: acts.StopRuntime(),
    EndingStep.RUNTIME: acts.SaveWork(),
    EndingStep.RESCUE: acts.RemoveWorkspace(),
    EndingStep.DONE: acts.Archive(),
}
_REVIEWED = frozenset({Status.REVIEW_PENDING, Status.APPROVED, Status.MERGEABLE})
"""The pull request waits for people."""
_UNDECIDED = frozenset({Status.PR_OPEN, Status.MERGING, Status.DETECTING, Status.STUCK, Status.LIMITED})
"""Nobody can say yet whose turn it is: what the tracker was told stands."""
_SETUP: dict[SetupStep, acts.Act] = {
    SetupStep.RESERVING: acts.MakeWorkspace(),
    SetupStep.WORKSPACE: acts.MakeWorkspace(),
    SetupStep.STARTING: acts.StartAgent(),
}


def due(session: Session, now: float) -> tuple[acts.Act, ...]:
    """What is to be done for this session now. Acts of one key never run twice at a time.

    What failed is due all the same: how long it waits is the back-off's business alone.
    """
    # What people said of the head comes before what is merged, and before the end.
    carry = tuple(acts.CarryReview(review=review) for review in uncarried.due(session, now))
    if session.wanted.state is WantedState.STOP:
        return (*carry, _ending(session))
    merge, intent = (*carry, *_merge(session)), merging.intent_of(session)
    if session.wanted.state is WantedState.PAUSE:
        return merge
    if session.setup.step is not SetupStep.READY:
        step = _SETUP.get(session.setup.step)
        return merge if step is None else (*merge, step)
    # While a merge waits for the forge nothing is pushed that would move its head.
    rest = [] if intent is not None else _publishing(session)
    return (*merge, *_telling(session, now), *rest)


def _merge(session: Session) -> tuple[acts.Act, ...]:
    intent = merging.intent_of(session)
    if intent is None:
        return ()
    if merging.taken_back_by(intent):
        return (acts.TakeMergeBack(),)
    # What the forge has in its queue is only looked at.
    return () if merging.queued_words(intent) else (acts.Merge(head=intent.data["head"]),)


def _ending(session: Session) -> acts.Act:
    if session.ending.step is EndingStep.WORKSPACE:
        return _taking_back(session) or _tracker(session) or acts.TidyForge()
    return _ENDING[session.ending.step]


def _taking_back(session: Session) -> acts.TakeMergeBack | None:
    """The forge may still have a merge waiting that nobody wants any more."""
    intent = merging.intent_of(session)
    return acts.TakeMergeBack() if intent is not None and merging.taken_back_by(intent) else None


def _can_hear(session: Session, question: Question) -> bool:
    """Whether the answer could arrive: a dialog is there only while the terminal is."""
    return question.source == "ask" or session.runtime.state is RuntimeState.ALIVE


def _telling(session: Session, now: float) -> list[acts.Act]:
    answers = [
        acts.DeliverAnswer(question=q.id)
        for q in session.questions
        if q.answered_at is not None and not (q.delivered or q.withdrawn or q.more) and _can_hear(session, q)
    ]
    return [*answers, *_typing(session, now)]


def _publishing(session: Session) -> list[acts.Act]:
    found: list[acts.Act] = []
    if _ahead(session) or _held_goes_on(session):
        found.append(acts.Publish(head=session.local_head))
    tell = _tracker(session)
    if tell is not None:
        found.append(tell)
    return found


def _typing(session: Session, now: float) -> list[acts.Act]:
    late = delivery.overdue(session, now)
    if late is not None:
        waits = delivery.prompt_shown(session) and session.runtime.state is RuntimeState.ALIVE
        return [acts.PressEnter(number=late.number)] if waits and late.tries < delivery.TRIES else []
    message = delivery.next_to_type(session)
    return [] if message is None else [acts.TypeMessage(number=message.number)]


def _ahead(session: Session) -> bool:
    """The turn ended, and the branch has commits that its open pull request has not."""
    change = session.change
    if change is None or change.pr.state not in OPEN or not session.local_head:
        return False
    if session.held.stops(session.local_head):
        return False
    return not _busy(session) and session.local_head not in {change.pr.head, session.published}


def _held_goes_on(session: Session) -> bool:
    """A held push was released, or its branch has a newer head that nobody has looked at."""
    push, head = session.held.push, session.local_head
    if push is None or not head or session.held.stops(head):
        return False
    if push.head == head:
        return True  # released: what waits or was refused stops above
    return not _busy(session) and head != session.published


def _busy(session: Session) -> bool:
    return session.work.activity.state in {ActivityState.BUSY, ActivityState.STARTING}


def _tracker(session: Session) -> acts.TellTracker | None:
    """The issue's state that the tracker has not been told yet."""
    if not session.task.issue:
        return None
    # What is merged closed the issue, whatever the session goes on with: it is not opened again by us.
    merged = session.merged is not None
    stops = session.wanted.state is WantedState.STOP
    state = "closed" if merged else "open" if stops else _under_way(session)
    if state == session.issue_told or (state == "open" and not session.issue_told):
        return None
    return acts.TellTracker(state=state)


def _under_way(session: Session) -> str:
    """Whose turn it is: the agent's, or that of people who are to look at its pull request."""
    if session.status.status in _REVIEWED:
        return "in_review"
    if session.status.status in _UNDECIDED and session.issue_told == "in_review":
        return "in_review"
    return "in_progress"
