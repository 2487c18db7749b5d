"""What a failed act means for its session: which words, which stage, which next try."""

from __future__ import annotations

import pytest

from orchestrator.domain.event import Level
from orchestrator.domain.held import Held, HeldPush, PullRequestWords, PushStage
from orchestrator.domain.message import Message, MessageStage
from orchestrator.domain.session import Ending, EndingStep, Question, SetupStep
from orchestrator.errors import AoError, Conflict, NotFound, PermanentError, TemporaryError
from orchestrator.lifecycle import acts
from orchestrator.lifecycle.act import _DO, Act
from orchestrator.lifecycle.draft import Draft
from orchestrator.testing import examples as ex

NO = PermanentError("no")


def refused(act: acts.Act, error: AoError = NO, **fields: object) -> Draft:
    draft = Draft(ex.session(**fields), ex.NOW + 5)
    Act().refused(draft, act, error)
    return draft


def delayed(act: acts.Act, error: AoError, **fields: object) -> Draft:
    draft = Draft(ex.session(**fields), ex.NOW + 5)
    Act().delayed(draft, act, error)
    return draft


def types(draft: Draft) -> list[tuple[str, Level]]:
    return [(e.type, e.level) for e in draft.events]


def message(stage: MessageStage) -> tuple[Message, ...]:
    return (Message(number=1, text="x", by="ada", at=ex.NOW, stage=stage),)


def test_every_act_has_its_performer() -> None:
    # By name: a dataclass with slots leaves the class that it was made from behind.
    assert {kind.__name__ for kind in _DO} == {kind.__name__ for kind in acts.Act.__subclasses__()}


def test_key_of_an_act_is_its_kind() -> None:
    assert acts.Merge(head="a").key == acts.Merge(head="b").key == "Merge"


@pytest.mark.parametrize("act", [acts.MakeWorkspace(), acts.StartAgent()])
def test_refused_setting_up_has_failed_with_the_reason(act: acts.Act) -> None:
    setup = refused(act).session.setup
    assert (setup.step, setup.reason, setup.at) == (SetupStep.FAILED, "no", ex.NOW + 5)


@pytest.mark.parametrize("act", [acts.TypeMessage(number=1), acts.PressEnter(number=1)])
def test_refused_typing_fails_the_message_with_the_reason(act: acts.Act) -> None:
    draft = refused(act, messages=message(MessageStage.RECEIVED))
    assert (draft.session.messages[0].stage, draft.session.messages[0].reason) == (MessageStage.FAILED, "no")
    assert types(draft) == [("message.failed", Level.ACTION)]
    assert refused(act).events == []


def test_refused_answer_is_told_to_whoever_gave_it() -> None:
    asked = Question(id="q1", text="?", asked_at=ex.NOW, answered_at=ex.NOW, answered_by=ex.ADA)
    other = Question(id="q2", text="?", asked_at=ex.NOW)
    draft = refused(acts.DeliverAnswer(question="q1"), questions=(asked, other))
    assert [q.withdrawn for q in draft.session.questions] == [True, False]
    assert types(draft) == [("question.undelivered", Level.ACTION)]


def test_refused_push_is_not_repeated_for_that_head() -> None:
    draft = refused(acts.Publish(head=ex.HEAD))
    [push] = draft.session.held.pushes
    assert (push.head, push.stage, push.words, push.by) == (ex.HEAD, PushStage.REFUSED, "no", None)
    assert draft.session.published == "", "the forge has not got it"
    assert types(draft) == [("push.refused", Level.ACTION)]
    assert draft.events[0].data == {"head": ex.HEAD, "push": push.id}


def test_refused_push_of_a_newer_head_takes_the_place_of_the_one_before_and_opens_what_that_was_to_open() -> (
    None
):
    words = PullRequestWords(title="Add CI")
    before = HeldPush(id="p1", head=ex.HEAD, since=ex.NOW, findings=(), stage=PushStage.REFUSED, opens=words)
    held = refused(acts.Publish(head=ex.OTHER_HEAD), held=Held(pushes=(before,))).session.held
    assert [push.stage for push in held.pushes] == [PushStage.OVERTAKEN, PushStage.REFUSED]
    assert (held.pushes[1].head, held.pushes[1].opens) == (ex.OTHER_HEAD, words)
    assert held.pushes[1].id != "p1"


def test_refused_merge_closes_the_intent_and_is_told() -> None:
    opened = Draft(ex.session(), ex.NOW)
    opened.open_intent("merge", head=ex.HEAD, by="ada")
    draft = refused(acts.Merge(head=ex.HEAD), intents=opened.session.intents)
    assert draft.session.intents == ()
    assert types(draft) == [("merge.refused", Level.ACTION)]


def test_refused_telling_of_the_tracker_is_let_be() -> None:
    draft = refused(acts.TellTracker(state="closed"))
    assert draft.session.issue_told == "closed"
    assert types(draft) == [("tracker.refused", Level.INFO)]


@pytest.mark.parametrize("act", [acts.StopRuntime(), acts.SaveWork(), acts.TidyForge(), acts.Archive()])
def test_refused_end_is_never_given_up(act: acts.Act) -> None:
    ending = refused(act, ending=Ending(step=EndingStep.RUNTIME)).session.ending
    assert (ending.step, ending.reason, ending.tries) == (EndingStep.RUNTIME, "no", 1)


def test_workspace_that_holds_new_work_goes_back_to_being_saved() -> None:
    saved = Ending(step=EndingStep.RESCUE)
    ending = refused(acts.RemoveWorkspace(), Conflict("new work"), ending=saved).session.ending
    assert (ending.step, ending.reason) == (EndingStep.RUNTIME, "new work")
    other = refused(acts.RemoveWorkspace(), NO, ending=saved).session.ending
    assert other.step is EndingStep.RESCUE


def test_delayed_end_is_told_the_first_time_only() -> None:
    first = delayed(acts.SaveWork(), TemporaryError("busy"))
    assert types(first) == [("cleanup.delayed", Level.WARNING)]
    again = delayed(acts.SaveWork(), TemporaryError("busy"), ending=first.session.ending)
    assert (again.events, again.session.ending.tries) == ([], 2)


def test_delayed_setting_up_says_what_it_waits_for() -> None:
    setup = delayed(acts.MakeWorkspace(), TemporaryError("fetch failed")).session.setup
    assert setup.reason == "tried again soon: fetch failed"


@pytest.mark.parametrize(
    ("stage", "error", "after"),
    [
        (MessageStage.TYPING, NotFound("gone"), MessageStage.RECEIVED),
        (MessageStage.TYPING, TemporaryError("?"), MessageStage.TYPING),
        (MessageStage.TYPED, NotFound("gone"), MessageStage.TYPED),
        (MessageStage.RECEIVED, NotFound("gone"), MessageStage.RECEIVED),
    ],
)
def test_delayed_typing_waits_again_only_where_nothing_can_have_been_typed(
    stage: MessageStage, error: AoError, after: MessageStage
) -> None:
    draft = delayed(acts.TypeMessage(number=1), error, messages=message(stage))
    assert draft.session.messages[0].stage is after
    assert bool(draft.events) is (stage is not after)


def test_delayed_merge_changes_nothing() -> None:
    draft = delayed(acts.Merge(head=ex.HEAD), TemporaryError("503"))
    assert (draft.session, draft.events) == (ex.session(), [])
