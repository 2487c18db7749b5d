"""Carries out acts: which function does which, and what a failure means for the session."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from orchestrator.domain.event import Level
from orchestrator.domain.ids import short_sha
from orchestrator.domain.issue import IssueState
from orchestrator.domain.message import MessageStage
from orchestrator.domain.session import EndingStep, Session, Setup, SetupStep
from orchestrator.errors import AoError, Conflict, NotFound
from orchestrator.lifecycle import (
    acts,
    delivery,
    end,
    forge,
    holding,
    merging,
    reviewing,
    setup,
    speak,
    uncarried,
)
from orchestrator.lifecycle.draft import Draft
from orchestrator.lifecycle.fleet import Fleet

Perform = Callable[[Fleet, Session, Any], Awaitable[None]]

_DO: dict[type[acts.Act], Perform] = {
    acts.MakeWorkspace: setup.make_workspace,
    acts.StartAgent: setup.start_agent,
    acts.TypeMessage: speak.type_message,
    acts.PressEnter: speak.press_enter,
    acts.DeliverAnswer: speak.deliver_answer,
    acts.Publish: forge.publish,
    acts.CarryReview: reviewing.carry_later,
    acts.Merge: forge.merge,
    acts.TakeMergeBack: forge.take_merge_back,
    acts.TellTracker: forge.tell_tracker,
    acts.TidyForge: forge.tidy,
    acts.StopRuntime: end.stop_runtime,
    acts.SaveWork: end.save_work,
    acts.RemoveWorkspace: end.remove_workspace,
    acts.Archive: end.archive,
}
_ENDING = (acts.StopRuntime, acts.SaveWork, acts.RemoveWorkspace, acts.TidyForge, acts.Archive)


class Act:
    """The fleet's performer."""

    async def perform(self, fleet: Fleet, session: Session, act: acts.Act) -> None:
        """Do it and put the outcome into the session. Raises `AoError`."""
        await _DO[type(act)](fleet, session, act)

    def refused(self, draft: Draft, act: acts.Act, error: AoError) -> None:
        """Trying again will not help: the session says so and goes on without."""
        match act:
            case acts.MakeWorkspace() | acts.StartAgent():
                old = draft.session.setup
                failed = Setup(step=SetupStep.FAILED, at=draft.now, reason=str(error), resume=old.resume)
                draft.set(setup=failed)
            case acts.TypeMessage(number=number) | acts.PressEnter(number=number):
                speak.fail(draft, number, str(error))
            case acts.DeliverAnswer(question=question):
                speak.undeliverable(draft, question, str(error))
            case acts.Publish(head=head):
                push = holding.refused(draft, head, str(error))
                text = f"{short_sha(head)} was not pushed: {error}"
                draft.tell("push.refused", text, Level.ACTION, head=head, push=push.id)
            case acts.CarryReview() | acts.Merge() | acts.TellTracker():
                _forge_refused(draft, act, error)
            case acts.RemoveWorkspace() if isinstance(error, Conflict):
                # Work appeared after it was saved: it is saved again before anything is removed.
                self.delayed(draft, act, error)
                draft.set(ending=replace(draft.session.ending, step=EndingStep.RUNTIME))
            case _:
                self.delayed(draft, act, error)

    def delayed(self, draft: Draft, act: acts.Act, error: AoError) -> None:
        """It is tried again; the session says what it waits for."""
        if isinstance(act, acts.MakeWorkspace | acts.StartAgent):
            draft.set(setup=replace(draft.session.setup, reason=f"tried again soon: {error}"))
        elif isinstance(act, acts.TypeMessage):
            message = speak.find(draft, act.number)
            never_typed = isinstance(error, NotFound)
            if message is not None and message.stage is MessageStage.TYPING and never_typed:
                # No terminal was there. Any other failure may have typed it: its signals will tell.
                delivery.stage(draft, message, MessageStage.RECEIVED, str(error))
        elif isinstance(act, acts.CarryReview):
            uncarried.put_off(draft, act.review, error)
        elif isinstance(act, _ENDING):
            ending = draft.session.ending
            if ending.tries == 0:
                draft.tell("cleanup.delayed", f"clean-up is tried again: {error}", Level.WARNING)
            draft.set(ending=replace(ending, reason=str(error), tries=ending.tries + 1))


def _forge_refused(
    draft: Draft, act: acts.CarryReview | acts.Merge | acts.TellTracker, error: AoError
) -> None:
    match act:
        case acts.CarryReview(review=review):
            uncarried.refused(draft, review, error)
        case acts.Merge(head=head):
            draft.close_intent(merging.KEY)
            text = f"{short_sha(head)} was not merged: {error}"
            draft.tell("merge.refused", text, Level.ACTION, head=head)
        case acts.TellTracker(state=state):
            _tracker_refused(draft, state, error)


def _tracker_refused(draft: Draft, state: str, error: AoError) -> None:
    draft.set(issue_told=state)
    # Whoever refuses this state refuses the next one too, and that is told.
    if state != IssueState.IN_REVIEW.value:
        draft.tell("tracker.refused", f"the tracker was not told {state}: {error}", state=state)
