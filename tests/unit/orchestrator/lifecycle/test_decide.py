"""What a look changes in the facts, and what it must never change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.activity import ActivityState, Dialog, Receipt, ReceiptStage
from orchestrator.domain.event import Level
from orchestrator.domain.look import Look, Seen, Unseen
from orchestrator.domain.message import Message, MessageStage, digest
from orchestrator.domain.session import (
    Question,
    RuntimeFact,
    RuntimeState,
    Session,
    Setup,
    SetupStep,
    StopReason,
    Wanted,
    WantedState,
    Work,
)
from orchestrator.lifecycle.decide import KEPT_QUESTIONS, ask, decide
from orchestrator.lifecycle.draft import Draft
from orchestrator.lifecycle.observation import Observation
from orchestrator.ports.agent import AgentLook
from orchestrator.ports.runtime import Presence, RuntimeLook
from orchestrator.ports.workspace import WorkspaceLook
from orchestrator.testing import examples as ex

RULES = ex.rules()
MISSING: Look[RuntimeLook] = Seen(RuntimeLook(presence=Presence.MISSING))
ALIVE: Look[RuntimeLook] = Seen(RuntimeLook(presence=Presence.ALIVE))


def seen(session: Session, after: float = 0.0, **what: object) -> Draft:
    draft = Draft(session, ex.NOW + after)
    decide(draft, Observation(**what), RULES)  # type: ignore[arg-type]
    return draft


def agent(state: ActivityState = ActivityState.IDLE, **fields: object) -> Seen[AgentLook]:
    receipts = fields.pop("receipts", ())
    signal = fields.pop("signal_at", ex.NOW)
    activity = ex.activity(state, **fields)
    return Seen(AgentLook(activity=activity, receipts=receipts, signal_at=signal))  # type: ignore[arg-type]


def test_one_negative_look_is_a_doubt_and_several_are_a_death() -> None:
    session = ex.session()
    states = []
    for _ in range(RULES.detecting_looks):
        session = seen(session, runtime=MISSING).session
        states.append(session.runtime.state)
    assert states == [RuntimeState.UNKNOWN] * (RULES.detecting_looks - 1) + [RuntimeState.MISSING]


def test_death_keeps_the_words_that_were_first_said_of_it() -> None:
    """Its look says the same again: nothing is written for that, and `lost with all others` stays."""
    words = "its terminal is gone, together with all others"
    fact = RuntimeFact(state=RuntimeState.MISSING, at=ex.NOW, reason=words, lost=True)
    after = seen(replace(ex.session(), runtime=fact), 60.0, runtime=MISSING).session.runtime
    assert after == replace(fact, at=ex.NOW + 60.0)


def test_failed_look_is_never_a_death_however_often() -> None:
    session = ex.session()
    for number in range(50):
        session = seen(session, number * 60.0, runtime=Unseen("tmux does not answer")).session
    assert session.runtime.state is RuntimeState.UNKNOWN
    assert session.runtime.doubt_since == ex.NOW
    assert session.runtime.reason == "tmux does not answer"


def test_sign_of_life_ends_the_doubt() -> None:
    doubtful = seen(ex.session(), runtime=MISSING).session
    alive = seen(doubtful, runtime=ALIVE).session.runtime
    assert (alive.state, alive.doubts, alive.doubt_since) == (RuntimeState.ALIVE, 0, None)


def test_exit_code_is_evidence() -> None:
    ended = seen(ex.session(), runtime=Seen(RuntimeLook(presence=Presence.EXITED, exit_code=3)))
    assert ended.session.runtime.state is RuntimeState.EXITED
    assert "code 3" in ended.session.runtime.reason


def test_nobody_looked_changes_nothing() -> None:
    session = ex.session()
    assert seen(session).session == session


def test_look_at_a_session_that_is_to_stop_changes_nothing() -> None:
    stop = Wanted(state=WantedState.STOP, by=ex.ADA, at=ex.NOW, reason=StopReason.KILLED)
    stopping = ex.session(wanted=stop)
    assert seen(stopping, runtime=MISSING, agent=agent()).session == stopping


def test_progress_is_a_signal_a_changed_screen_or_another_state() -> None:
    session = ex.session()
    later = session.work.progress_at + 100
    same = seen(session, 100, runtime=ALIVE, agent=agent(ActivityState.BUSY)).session
    assert same.work.progress_at == session.work.progress_at
    assert seen(session, 100, agent=agent(ActivityState.IDLE)).session.work.progress_at == later
    signal = agent(ActivityState.BUSY, signal_at=ex.NOW + 50)
    assert seen(session, 100, agent=signal).session.work.progress_at == later
    screen = Seen(RuntimeLook(presence=Presence.ALIVE, screen="new"))
    assert (
        seen(session, 100, runtime=screen, agent=agent(ActivityState.BUSY)).session.work.progress_at == later
    )


def test_dialog_becomes_a_question_once_and_is_withdrawn_when_it_goes() -> None:
    open_dialog = agent(
        ActivityState.PERMISSION, dialog=Dialog(id="d1", text="run make?", options=("yes", "no"))
    )
    asked = seen(ex.session(), agent=open_dialog)
    assert [e.type for e in asked.events] == ["question.asked"]
    assert asked.session.question is not None
    again = seen(asked.session, agent=open_dialog)
    assert again.events == []
    gone = seen(again.session, agent=agent(ActivityState.BUSY))
    assert gone.session.question is None
    assert [e.type for e in gone.events] == ["question.withdrawn"]


def test_done_holds_until_the_agent_works_again() -> None:
    done = replace(ex.session(), work=replace(ex.session().work, reported="all", reported_done=True))
    idle = seen(done, agent=agent(ActivityState.IDLE)).session
    assert (idle.work.reported, idle.work.reported_done) == ("all", True)
    again = seen(idle, agent=agent(ActivityState.BUSY)).session.work
    assert (again.reported, again.reported_done) == ("", False)


def test_new_commit_is_told_and_counts_as_progress() -> None:
    session = replace(ex.session(), local_head=ex.HEAD)
    moved = seen(session, 30, workspace=Seen(WorkspaceLook(exists=True, head=ex.OTHER_HEAD, dirty=1)))
    assert [e.type for e in moved.events] == ["work.committed"]
    assert (moved.session.local_head, moved.session.dirty) == (ex.OTHER_HEAD, 1)
    assert moved.session.work.progress_at == ex.NOW + 30
    gone = seen(session, workspace=Seen(WorkspaceLook(exists=False)))
    assert gone.session == session


def typed(stage: MessageStage = MessageStage.TYPED) -> Session:
    message = Message(number=1, text="fix  it\n", by="ada", at=ex.NOW, stage=stage, stage_at=ex.NOW)
    return ex.session(messages=(message,))


def receipt(stage: ReceiptStage, at: float = ex.NOW, text: str = "fix it") -> tuple[Receipt, ...]:
    return (Receipt(text_digest=digest(text), stage=stage, at=at),)


def test_the_agents_own_word_moves_a_message_on_and_tells_each_stage() -> None:
    draft = seen(typed(), agent=agent(receipts=receipt(ReceiptStage.ANSWERED)))
    assert [e.type for e in draft.events] == ["message.accepted", "message.working", "message.answered"]
    back = seen(draft.session, agent=agent(receipts=receipt(ReceiptStage.ACCEPTED)))
    assert back.events == []


def test_receipt_after_a_crash_in_the_middle_of_typing_decides() -> None:
    draft = seen(typed(MessageStage.TYPING), agent=agent(receipts=receipt(ReceiptStage.ACCEPTED)))
    assert draft.session.messages[0].stage is MessageStage.ACCEPTED


def test_old_or_foreign_receipts_confirm_nothing() -> None:
    old = agent(receipts=receipt(ReceiptStage.ACCEPTED, ex.NOW - 60))
    assert seen(typed(), agent=old).session.messages[0].stage is MessageStage.TYPED
    other = agent(receipts=receipt(ReceiptStage.ACCEPTED, text="something else"))
    assert seen(typed(), agent=other).session.messages[0].stage is MessageStage.TYPED


def test_agent_without_signals_confirms_by_turning_busy() -> None:
    busy = Seen(AgentLook(activity=ex.activity(ActivityState.BUSY)))
    accepted = seen(typed(), agent=busy)
    assert accepted.session.messages[0].stage is MessageStage.ACCEPTED
    idle = Seen(AgentLook(activity=ex.activity(ActivityState.IDLE)))
    assert seen(accepted.session, agent=idle).session.messages[0].stage is MessageStage.ANSWERED


# Word for word ------------------------------------------------------------------------------------

LOST = RuntimeFact(state=RuntimeState.MISSING, at=0, doubts=5, doubt_since=ex.NOW - 60, lost=True)
DOUBT = RuntimeFact(state=RuntimeState.UNKNOWN, at=0, doubts=1, doubt_since=ex.NOW - 60)
WELL = RuntimeFact(state=RuntimeState.ALIVE, at=0)
FACTS: list[tuple[RuntimeFact, Look[RuntimeLook], RuntimeFact]] = [
    (LOST, ALIVE, RuntimeFact(state=RuntimeState.ALIVE, at=ex.NOW)),
    (
        WELL,
        Unseen("no answer"),
        replace(WELL, state=RuntimeState.UNKNOWN, at=ex.NOW, reason="no answer", doubt_since=ex.NOW),
    ),
    (DOUBT, Unseen("no answer"), replace(DOUBT, at=ex.NOW, reason="no answer")),
    (LOST, Unseen("no answer"), replace(LOST, state=RuntimeState.UNKNOWN, at=ex.NOW, reason="no answer")),
    (
        WELL,
        MISSING,
        RuntimeFact(
            state=RuntimeState.UNKNOWN,
            at=ex.NOW,
            reason="its terminal was not found (look 1 of 3)",
            doubts=1,
            doubt_since=ex.NOW,
        ),
    ),
    (DOUBT, MISSING, replace(DOUBT, at=ex.NOW, doubts=2, reason="its terminal was not found (look 2 of 3)")),
    (
        replace(DOUBT, doubts=2),
        MISSING,
        replace(
            DOUBT,
            state=RuntimeState.MISSING,
            at=ex.NOW,
            doubts=3,
            reason="its terminal is not there (3 looks in a row)",
        ),
    ),
    (LOST, MISSING, replace(LOST, at=ex.NOW)),
    (
        WELL,
        Seen(RuntimeLook(presence=Presence.EXITED, exit_code=3)),
        RuntimeFact(
            state=RuntimeState.EXITED,
            at=ex.NOW,
            reason="its program ended with code 3",
            exit_code=3,
            doubt_since=ex.NOW,
        ),
    ),
    (
        DOUBT,
        Seen(RuntimeLook(presence=Presence.EXITED)),
        RuntimeFact(
            state=RuntimeState.EXITED, at=ex.NOW, reason="its program ended", doubt_since=ex.NOW - 60
        ),
    ),
]


@pytest.mark.parametrize(("before", "look", "after"), FACTS, ids=range(len(FACTS)))
def test_each_look_at_the_terminal_is_this_fact(
    before: RuntimeFact, look: Look[RuntimeLook], after: RuntimeFact
) -> None:
    assert seen(ex.session(runtime=before), runtime=look).session.runtime == after


def test_look_at_the_agent_is_kept_whole() -> None:
    old = replace(ex.session().work, conversation="before", reported="half", reported_at=ex.NOW - 9)
    activity = ex.activity(ActivityState.IDLE)
    look = AgentLook(
        activity=activity, conversation="now", disagreement="title says busy", signal_at=ex.NOW + 2
    )
    screen = Seen(RuntimeLook(presence=Presence.ALIVE, screen="$ _"))
    work = seen(ex.session(work=old), 5, runtime=screen, agent=Seen(look)).session.work
    assert work == Work(
        activity=replace(activity, at=ex.NOW + 2),
        at=ex.NOW + 5,
        progress_at=ex.NOW + 5,
        screen_digest=digest("$ _"),
        disagreement="title says busy",
        conversation="now",
        reported="half",
        reported_at=ex.NOW - 9,
    )
    silent = seen(ex.session(work=work), 9, agent=Seen(replace(look, conversation=""))).session.work
    assert (silent.conversation, silent.screen_digest, silent.progress_at, silent.at) == (
        "now",
        digest("$ _"),
        ex.NOW + 5,
        ex.NOW + 9,
    )


def test_activity_is_as_old_as_its_newest_signal() -> None:
    older = AgentLook(activity=ex.activity(), signal_at=ex.NOW - 5)
    assert seen(ex.session(), agent=Seen(older)).session.work.activity.at == ex.NOW


def test_failed_look_at_the_agent_says_nothing() -> None:
    assert seen(ex.session(), agent=Unseen("no")).session == ex.session()
    assert seen(ex.session(), workspace=Unseen("no")).session == ex.session()


@pytest.mark.parametrize(
    ("before", "now", "done", "after"),
    [
        (ActivityState.IDLE, ActivityState.BUSY, True, ("", False)),
        (ActivityState.IDLE, ActivityState.BUSY, False, ("done", False)),
        (ActivityState.BUSY, ActivityState.BUSY, True, ("done", True)),
        (ActivityState.IDLE, ActivityState.ASKING, True, ("done", True)),
    ],
)
def test_report_of_being_done_ends_with_new_work(
    before: ActivityState, now: ActivityState, done: bool, after: tuple[str, bool]
) -> None:
    work = replace(ex.session().work, activity=ex.activity(before), reported="done", reported_done=done)
    found = seen(ex.session(work=work), agent=agent(now)).session.work
    assert (found.reported, found.reported_done) == after


OPEN_DIALOG = Dialog(id="d1", text="run make?", options=("yes", "no"))


def test_dialog_is_asked_and_withdrawn_in_these_words() -> None:
    asked = seen(ex.session(), 3, agent=agent(ActivityState.PERMISSION, dialog=OPEN_DIALOG))
    assert asked.session.questions == (
        Question(id="d1", text="run make?", asked_at=ex.NOW + 3, options=("yes", "no"), source="dialog"),
    )
    assert [(e.type, e.text, e.level, e.data) for e in asked.events] == [
        ("question.asked", "run make?", Level.URGENT, {"question": "d1", "options": "yes | no"})
    ]
    gone = seen(asked.session, agent=agent(ActivityState.BUSY))
    assert [q.withdrawn for q in gone.session.questions] == [True]
    assert [(e.type, e.text, e.level, e.data) for e in gone.events] == [
        ("question.withdrawn", "the agent went on without an answer", Level.INFO, {"question": "d1"})
    ]


def test_other_dialog_withdraws_the_first_and_is_asked_itself() -> None:
    asked = seen(ex.session(), agent=agent(ActivityState.PERMISSION, dialog=OPEN_DIALOG)).session
    other = seen(asked, agent=agent(ActivityState.PERMISSION, dialog=replace(OPEN_DIALOG, id="d2")))
    assert [(q.id, q.withdrawn) for q in other.session.questions] == [("d1", True), ("d2", False)]


def test_answered_dialog_and_ao_ask_are_not_withdrawn() -> None:
    answered = Question(id="d1", text="?", asked_at=ex.NOW, source="dialog", answered_at=ex.NOW)
    asked = Question(id="q1", text="?", asked_at=ex.NOW)
    session = ex.session(questions=(answered, asked))
    after = seen(session, agent=agent(ActivityState.BUSY)).session.questions
    assert after == (replace(answered, gone=True), asked)


def test_old_questions_go_and_open_ones_stay() -> None:
    closed = [Question(id=f"c{n}", text="?", asked_at=n, withdrawn=True) for n in range(KEPT_QUESTIONS + 3)]
    waiting = Question(id="q", text="?", asked_at=0)
    draft = Draft(ex.session(questions=(waiting, *closed)), ex.NOW)
    ask(draft, Question(id="new", text="?", asked_at=ex.NOW))
    names = [q.id for q in draft.session.questions]
    assert names == [*(f"c{n}" for n in range(3, KEPT_QUESTIONS + 3)), "q", "new"]


def test_look_at_the_workspace_is_kept_and_a_new_commit_told() -> None:
    session = replace(ex.session(), local_head=ex.HEAD)
    moved = seen(session, 30, workspace=Seen(WorkspaceLook(exists=True, head=ex.OTHER_HEAD, dirty=2)))
    assert [(e.type, e.text, e.level, e.data) for e in moved.events] == [
        ("work.committed", "new commit bbbbbbbbbbbb", Level.INFO, {"head": ex.OTHER_HEAD})
    ]
    first = seen(ex.session(), 30, workspace=Seen(WorkspaceLook(exists=True, head=ex.HEAD)))
    assert (first.session.local_head, first.events) == (ex.HEAD, [])
    edited = seen(session, 30, workspace=Seen(WorkspaceLook(exists=True, head=ex.HEAD, dirty=1)))
    assert (edited.session.dirty, edited.session.work.progress_at, edited.events) == (1, ex.NOW + 30, [])
    same = seen(session, 30, workspace=Seen(WorkspaceLook(exists=True, head=ex.HEAD)))
    assert same.session == session


def test_session_that_is_being_set_up_is_not_judged_by_looks() -> None:
    starting = ex.session(setup=Setup(step=SetupStep.STARTING, at=ex.NOW))
    assert seen(starting, runtime=MISSING, agent=agent()).session == starting


def test_pull_request_that_was_seen_is_kept() -> None:
    assert seen(ex.session(), pull_request=Seen(ex.pull_request())).session.change is not None
