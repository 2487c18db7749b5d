"""Which acts follow from which facts, and in which order a session ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.domain.activity import ActivityState, Dialog
from orchestrator.domain.held import Held, HeldPush, PushStage
from orchestrator.domain.message import Message, MessageStage
from orchestrator.domain.pull_request import PullRequestState
from orchestrator.domain.session import (
    Ending,
    EndingStep,
    Intent,
    Question,
    RuntimeFact,
    RuntimeState,
    Session,
    Setup,
    SetupStep,
    StopReason,
    Task,
    Wanted,
    WantedState,
    Work,
)
from orchestrator.domain.status import Status
from orchestrator.lifecycle import acts, delivery
from orchestrator.lifecycle.plan import due
from orchestrator.testing import examples as ex

IDLE = Work(activity=ex.activity(ActivityState.IDLE), at=ex.NOW, progress_at=ex.NOW)
MERGED = ex.change(ex.pull_request(state=PullRequestState.MERGED))


def told(session: Session) -> Session:
    """The tracker knows: only what the test is about is left to do."""
    return replace(session, issue_told="in_progress")


def stopped(reason: StopReason, step: EndingStep, **fields: Any) -> Session:
    wanted = Wanted(state=WantedState.STOP, by=ex.ADA, at=ex.NOW, reason=reason)
    return ex.session(wanted=wanted, ending=Ending(step=step), **fields)


@pytest.mark.parametrize(
    ("step", "act"),
    [
        (SetupStep.RESERVING, acts.MakeWorkspace()),
        (SetupStep.WORKSPACE, acts.MakeWorkspace()),
        (SetupStep.STARTING, acts.StartAgent()),
    ],
)
def test_setting_up(step: SetupStep, act: acts.Act) -> None:
    assert due(ex.session(setup=Setup(step=step, at=ex.NOW)), ex.NOW) == (act,)


def test_queued_session_waits_for_its_turn_and_a_paused_one_for_its_release() -> None:
    assert due(ex.session(setup=Setup(step=SetupStep.QUEUED, at=ex.NOW)), ex.NOW) == ()
    pause = Wanted(state=WantedState.PAUSE, by=ex.ADA, at=ex.NOW)
    assert due(ex.session(wanted=pause, setup=Setup(step=SetupStep.STARTING, at=ex.NOW)), ex.NOW) == ()


@pytest.mark.parametrize(
    ("step", "act"),
    [
        (EndingStep.NONE, acts.StopRuntime()),
        (EndingStep.RUNTIME, acts.SaveWork()),
        (EndingStep.RESCUE, acts.RemoveWorkspace()),
        (EndingStep.DONE, acts.Archive()),
    ],
)
def test_work_is_saved_after_the_agent_stopped_and_before_anything_is_removed(
    step: EndingStep, act: acts.Act
) -> None:
    assert due(stopped(StopReason.KILLED, step), ex.NOW) == (act,)


def test_end_tells_the_tracker_before_it_tidies_the_forge() -> None:
    end = stopped(StopReason.MERGED, EndingStep.WORKSPACE, changes=(MERGED,), issue_told="in_progress")
    assert due(end, ex.NOW) == (acts.TellTracker(state="closed"),)
    assert due(replace(end, issue_told="closed"), ex.NOW) == (acts.TidyForge(),)


def test_killed_session_gives_its_issue_back() -> None:
    killed = stopped(StopReason.KILLED, EndingStep.WORKSPACE, issue_told="in_progress")
    assert due(killed, ex.NOW) == (acts.TellTracker(state="open"),)
    assert due(replace(killed, issue_told=""), ex.NOW) == (acts.TidyForge(),)


def status(status: Status, **fields: Any) -> Session:
    line = replace(ex.session().status, status=status)
    return replace(ex.session(work=IDLE, changes=(ex.change(),), **fields), status=line)


@pytest.mark.parametrize("waits", [Status.REVIEW_PENDING, Status.APPROVED, Status.MERGEABLE])
def test_tracker_is_told_when_people_are_to_look(waits: Status) -> None:
    assert due(status(waits, issue_told="in_progress"), ex.NOW) == (acts.TellTracker(state="in_review"),)
    assert due(status(waits, issue_told="in_review"), ex.NOW) == ()


@pytest.mark.parametrize("agent", [Status.CI_FAILED, Status.CHANGES_REQUESTED, Status.CONFLICTED])
def test_tracker_is_told_when_it_is_the_agents_turn_again(agent: Status) -> None:
    assert due(status(agent, issue_told="in_review"), ex.NOW) == (acts.TellTracker(state="in_progress"),)
    assert due(status(agent, issue_told="in_progress"), ex.NOW) == ()


@pytest.mark.parametrize("unclear", [Status.PR_OPEN, Status.DETECTING, Status.STUCK])
@pytest.mark.parametrize("said", ["in_progress", "in_review"])
def test_what_the_tracker_was_told_stands_while_nobody_knows_whose_turn_it_is(
    unclear: Status, said: str
) -> None:
    assert due(status(unclear, issue_told=said), ex.NOW) == ()


def test_failed_clean_up_stays_due() -> None:
    wanted = Wanted(state=WantedState.STOP, by=ex.ADA, at=ex.NOW, reason=StopReason.MERGED)
    late = ex.session(wanted=wanted, ending=Ending(step=EndingStep.RESCUE, tries=3))
    assert due(late, ex.NOW) == (acts.RemoveWorkspace(),)


def test_task_without_issue_tells_no_tracker() -> None:
    assert due(ex.session(task=Task(prompt="tidy up")), ex.NOW) == ()
    assert due(ex.session(), ex.NOW) == (acts.TellTracker(state="in_progress"),)


def test_merge_comes_before_all_else_even_in_a_pause() -> None:
    intent = Intent(key="merge", at=ex.NOW, data={"head": ex.HEAD})
    pause = Wanted(state=WantedState.PAUSE, by=ex.ADA, at=ex.NOW)
    assert due(ex.session(intents=(intent,), wanted=pause), ex.NOW) == (acts.Merge(head=ex.HEAD),)


def test_merge_that_waits_for_the_forge_holds_up_pushes_and_nothing_else() -> None:
    intent = Intent(key="merge", at=ex.NOW, data={"head": ex.HEAD})
    asked = Question(id="q1", text="?", asked_at=ex.NOW, answer="yes", answered_by=ex.ADA, answered_at=ex.NOW)
    session = ex.session(
        work=IDLE,
        intents=(intent,),
        changes=(ex.change(),),
        local_head=ex.OTHER_HEAD,
        questions=(asked,),
        messages=(message(MessageStage.RECEIVED),),
    )
    assert due(session, ex.NOW) == (
        acts.Merge(head=ex.HEAD),
        acts.DeliverAnswer(question="q1"),
        acts.TypeMessage(number=1),
    )
    starting = ex.session(intents=(intent,), setup=Setup(step=SetupStep.STARTING, at=ex.NOW))
    assert due(starting, ex.NOW) == (acts.Merge(head=ex.HEAD), acts.StartAgent())
    queued = ex.session(intents=(intent,), setup=Setup(step=SetupStep.QUEUED, at=ex.NOW))
    assert due(queued, ex.NOW) == (acts.Merge(head=ex.HEAD),)


def test_merge_that_was_taken_back_is_looked_up_and_not_done() -> None:
    data = {"head": ex.HEAD, "begun": "yes", "taken_back": "ada"}
    taken = told(ex.session(intents=(Intent(key="merge", at=ex.NOW, data=data),)))
    assert due(taken, ex.NOW) == (acts.TakeMergeBack(),)


def message(stage: MessageStage, number: int = 1, **fields: Any) -> Message:
    made = Message(number=number, text="hi", by="ada", at=ex.NOW, stage=stage, stage_at=ex.NOW)
    return replace(made, **fields)


def typing(session: Session, after: float = 0.0) -> list[acts.Act]:
    kinds = (acts.TypeMessage, acts.PressEnter)
    return [a for a in due(told(session), ex.NOW + after) if isinstance(a, kinds)]


def test_oldest_queued_message_is_typed_into_a_prompt_that_waits() -> None:
    two = (message(MessageStage.RECEIVED, 1), message(MessageStage.RECEIVED, 2))
    assert typing(ex.session(work=IDLE, messages=two)) == [acts.TypeMessage(number=1)]


@pytest.mark.parametrize(
    "facts",
    [
        {"work": Work(activity=ex.activity(ActivityState.BUSY), at=ex.NOW, progress_at=ex.NOW)},
        {"work": replace(IDLE, activity=ex.activity(ActivityState.IDLE, dialog=Dialog(id="d", text="?")))},
        {"runtime": RuntimeFact(state=RuntimeState.UNKNOWN, at=ex.NOW)},
        {"wanted": Wanted(state=WantedState.PAUSE, by=ex.ADA, at=ex.NOW)},
    ],
    ids=["busy", "dialog", "terminal unknown", "paused"],
)
def test_nothing_is_typed_where_it_would_not_be_read_as_a_message(facts: dict[str, Any]) -> None:
    queued = ex.session(work=IDLE, messages=(message(MessageStage.RECEIVED),))
    assert typing(replace(queued, **facts)) == []


@pytest.mark.parametrize("stage", [MessageStage.TYPING, MessageStage.TYPED])
def test_one_message_at_a_time(stage: MessageStage) -> None:
    two = (message(stage, 1), message(MessageStage.RECEIVED, 2))
    assert typing(ex.session(work=IDLE, messages=two)) == []


def test_enter_is_pressed_again_when_nobody_confirms_and_not_for_ever() -> None:
    typed = ex.session(work=IDLE, messages=(message(MessageStage.TYPED, tries=1),))
    assert typing(typed, delivery.TYPED_WAIT - 0.1) == []
    assert typing(typed, delivery.TYPED_WAIT) == [acts.PressEnter(number=1)]
    tired = ex.session(work=IDLE, messages=(message(MessageStage.TYPED, tries=delivery.TRIES),))
    assert typing(tired, delivery.TYPED_WAIT) == []


def test_answer_is_delivered_once() -> None:
    asked = Question(id="q1", text="?", asked_at=ex.NOW, answer="yes", answered_by=ex.ADA, answered_at=ex.NOW)
    assert due(told(ex.session(questions=(asked,))), ex.NOW) == (acts.DeliverAnswer(question="q1"),)
    assert due(told(ex.session(questions=(replace(asked, delivered=True),))), ex.NOW) == ()
    assert due(told(ex.session(questions=(replace(asked, withdrawn=True),))), ex.NOW) == ()


@pytest.mark.parametrize("changes", [(), (ex.change(),)], ids=["to open one", "of an open one"])
def test_refused_push_is_due_again_only_once_a_person_says_so_or_with_a_newer_head(changes: Any) -> None:
    push = HeldPush(id="p1", head=ex.OTHER_HEAD, since=ex.NOW, findings=(), stage=PushStage.REFUSED)
    idle = told(ex.session(work=IDLE, changes=changes, local_head=ex.OTHER_HEAD, held=Held(pushes=(push,))))
    assert due(idle, ex.NOW) == ()
    again = replace(idle, held=Held(pushes=(replace(push, stage=PushStage.RELEASED),)))
    assert due(again, ex.NOW) == (acts.Publish(head=ex.OTHER_HEAD),)
    newer = replace(idle, local_head="c" * 40)
    assert due(newer, ex.NOW) == (acts.Publish(head="c" * 40),)


def test_branch_ahead_of_its_pull_request_is_pushed_when_the_turn_ended() -> None:
    ahead = told(ex.session(work=IDLE, changes=(ex.change(),), local_head=ex.OTHER_HEAD))
    assert due(ahead, ex.NOW) == (acts.Publish(head=ex.OTHER_HEAD),)
    assert due(replace(ahead, work=ex.session().work), ex.NOW) == ()
    assert due(replace(ahead, published=ex.OTHER_HEAD), ex.NOW) == ()
    assert due(replace(ahead, local_head=ex.HEAD), ex.NOW) == ()
    assert due(replace(ahead, changes=(MERGED,), issue_told="closed"), ex.NOW) == ()
