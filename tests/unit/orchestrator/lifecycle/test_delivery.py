"""Messages on their way: what signals and time say of each, and when nothing may be typed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.activity import ActivityState, Dialog, Receipt, ReceiptStage
from orchestrator.domain.event import Level
from orchestrator.domain.message import Message, MessageStage, digest
from orchestrator.domain.session import RuntimeFact, RuntimeState, Session, Wanted, WantedState, Work
from orchestrator.lifecycle import delivery
from orchestrator.lifecycle.draft import Draft
from orchestrator.ports.agent import AgentLook
from orchestrator.testing import examples as ex

IDLE = Work(activity=ex.activity(ActivityState.IDLE), at=ex.NOW, progress_at=ex.NOW)
S = MessageStage


def message(number: int = 1, stage: MessageStage = S.RECEIVED, **fields: object) -> Message:
    made = Message(number=number, text=f"text {number}", by="ada", at=ex.NOW, stage=stage, stage_at=ex.NOW)
    return replace(made, **fields)  # type: ignore[arg-type]


def ready(*messages: Message, **fields: object) -> Session:
    return ex.session(work=IDLE, messages=messages, **fields)


def heard(session: Session, *receipts: Receipt, signal_at: float = ex.NOW, **activity: object) -> Draft:
    draft = Draft(session, ex.NOW + 1)
    state = activity.pop("state", ActivityState.BUSY)
    assert isinstance(state, ActivityState)
    look = AgentLook(activity=ex.activity(state), receipts=receipts, signal_at=signal_at)
    delivery.take_receipts(draft, look)
    return draft


def receipt(stage: ReceiptStage = ReceiptStage.ACCEPTED, at: float = ex.NOW, number: int = 1) -> Receipt:
    return Receipt(text_digest=digest(f"text {number}"), stage=stage, at=at)


def test_move_is_told_in_words_with_its_reason() -> None:
    draft = Draft(ready(message(3)), ex.NOW + 2)
    delivery.stage(draft, draft.session.messages[0], S.TYPED)
    delivery.stage(draft, draft.session.messages[0], S.FAILED, "no terminal")
    assert [(e.type, e.text, e.level, e.data) for e in draft.events] == [
        ("message.typed", "message 3 is typed", Level.INFO, {"number": 3, "reason": ""}),
        (
            "message.failed",
            "message 3 is failed: no terminal",
            Level.ACTION,
            {"number": 3, "reason": "no terminal"},
        ),
    ]
    kept = draft.session.messages[0]
    assert (kept.stage, kept.stage_at, kept.reason) == (S.FAILED, ex.NOW + 2, "no terminal")


@pytest.mark.parametrize(
    ("before", "said", "after"),
    [
        (S.TYPED, ReceiptStage.ACCEPTED, S.ACCEPTED),
        (S.TYPED, ReceiptStage.WORKING, S.WORKING),
        (S.TYPING, ReceiptStage.ANSWERED, S.ANSWERED),
        (S.WORKING, ReceiptStage.ACCEPTED, S.WORKING),
        (S.WORKING, ReceiptStage.ANSWERED, S.ANSWERED),
        (S.RECEIVED, ReceiptStage.ANSWERED, S.RECEIVED),
        (S.FAILED, ReceiptStage.ANSWERED, S.FAILED),
        (S.ANSWERED, ReceiptStage.ACCEPTED, S.ANSWERED),
    ],
)
def test_agents_word_moves_a_message_that_is_on_its_way_and_never_back(
    before: MessageStage, said: ReceiptStage, after: MessageStage
) -> None:
    draft = heard(ready(message(stage=before)), receipt(said))
    assert draft.session.messages[0].stage is after


def test_word_of_another_text_or_from_before_the_typing_says_nothing() -> None:
    typed = ready(message(stage=S.TYPED))
    assert heard(typed, receipt(number=2)).session == typed
    early = ex.NOW - delivery.CLOCK_SLACK
    assert heard(typed, receipt(at=early - 0.1)).session == typed
    assert heard(typed, receipt(at=early)).session.messages[0].stage is S.ACCEPTED


def test_several_words_are_told_in_order() -> None:
    draft = heard(ready(message(stage=S.TYPED)), receipt(), receipt(ReceiptStage.WORKING))
    assert [e.type for e in draft.events] == ["message.accepted", "message.working"]


def test_without_receipts_turning_busy_and_idle_again_is_the_word() -> None:
    busy = heard(ready(message(stage=S.TYPED)), signal_at=0)
    assert busy.session.messages[0].stage is S.ACCEPTED
    assert busy.session.messages[0].reason == "the agent turned busy"
    idle = heard(busy.session, signal_at=0, state=ActivityState.IDLE)
    assert (idle.session.messages[0].stage, idle.session.messages[0].reason) == (S.ANSWERED, "its turn ended")


def test_agent_that_gives_signals_is_not_guessed_about() -> None:
    typed = ready(message(stage=S.TYPED), message(2, stage=S.ACCEPTED))
    assert heard(typed, signal_at=1.0).session == typed
    assert heard(typed, receipt(number=9), signal_at=0).session == typed
    assert heard(typed, signal_at=0, state=ActivityState.ASKING).session == typed


def test_old_messages_go_and_open_ones_stay() -> None:
    closed = [message(n, stage=S.ANSWERED) for n in range(1, delivery.KEPT_MESSAGES + 3)]
    waiting = message(0)
    kept = heard(ready(waiting, *closed)).session.messages
    assert [m.number for m in kept] == [0, *range(3, delivery.KEPT_MESSAGES + 3)]
    full = ready(*closed[: delivery.KEPT_MESSAGES])
    assert heard(full).session == full


def test_oldest_queued_message_is_next() -> None:
    assert delivery.next_to_type(ready(message(1, stage=S.ANSWERED), message(2), message(3))) == message(2)
    assert delivery.next_to_type(ready(message(stage=S.FAILED))) is None


def wanted(state: WantedState) -> Wanted:
    return Wanted(state=state, by=ex.ADA, at=ex.NOW)


DIALOG = ex.activity(ActivityState.PERMISSION, dialog=Dialog(id="d", text="?"), accepts_text=True)
BUSY = ex.activity(ActivityState.BUSY)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, ""),
        ({"wanted": wanted(WantedState.PAUSE)}, "the session is paused"),
        ({"wanted": wanted(WantedState.STOP)}, "the session ends"),
        ({"runtime": RuntimeFact(state=RuntimeState.MISSING, at=ex.NOW)}, "the agent's terminal is gone"),
        ({"work": replace(IDLE, activity=DIALOG)}, "a dialog is open; only its own answer may go there"),
        ({"work": replace(IDLE, activity=BUSY)}, "the agent is busy"),
        ({"messages": (message(stage=S.TYPING),)}, "an earlier message is not confirmed yet"),
        ({"messages": (message(stage=S.TYPED),)}, "an earlier message is not confirmed yet"),
        ({"messages": (message(stage=S.ACCEPTED),)}, ""),
    ],
)
def test_why_nothing_may_be_typed(fields: dict[str, object], why: str) -> None:
    session = replace(ready(), **fields)  # type: ignore[arg-type]
    assert delivery.why_not_typing(session) == why
    queued = replace(session, messages=(*session.messages, message(9)))
    assert (delivery.next_to_type(queued) is None) is bool(why)


def test_overdue_after_its_time_and_only_when_typed() -> None:
    late = ex.NOW + delivery.TYPED_WAIT
    mine = message(2, stage=S.TYPED)
    session = ready(message(1, stage=S.ACCEPTED), mine)
    assert delivery.overdue(session, late) == mine
    assert delivery.overdue(session, late - 0.1) is None
    assert delivery.overdue(ready(message(stage=S.TYPING)), late) is None


@pytest.mark.parametrize(
    ("draft", "why"),
    [
        ("", ""),
        ("text 1", ""),  # what an interrupt put back; it is taken away
        ("what about", "text that is not ours stands in the agent's prompt: somebody is typing there"),
    ],
)
def test_message_that_waits_for_a_persons_draft_says_so(draft: str, why: str) -> None:
    activity = ex.activity(ActivityState.IDLE, accepts_text=not draft, draft=draft)
    session = ready(message(1, S.FAILED), message(2))
    assert delivery.why_waiting(replace(session, work=replace(IDLE, activity=activity))) == why
    assert delivery.why_waiting(
        replace(session, work=replace(IDLE, activity=ex.activity(ActivityState.BUSY)))
    )


# Each word of the agent serves one message -------------------------------------------------------------------------


def test_same_text_again_waits_for_a_word_of_its_own() -> None:
    """Sent again right after its last turn: what the agent said of that turn is none of this message's."""
    same = digest("fix it")
    first = Receipt(text_digest=same, stage=ReceiptStage.ANSWERED, at=ex.NOW, accepted_at=ex.NOW - 1)
    answered = message(1, S.TYPED, text="fix it", stage_at=ex.NOW - 1)
    again = message(2, S.TYPED, text="fix it", stage_at=ex.NOW + 1)
    session = heard(ready(answered, again), first).session
    assert [m.stage for m in session.messages] == [S.ANSWERED, S.TYPED]
    second = Receipt(text_digest=same, stage=ReceiptStage.ACCEPTED, at=ex.NOW + 2, accepted_at=ex.NOW + 2)
    session = heard(session, first, second).session
    assert [m.stage for m in session.messages] == [S.ANSWERED, S.ACCEPTED]
    done = replace(second, stage=ReceiptStage.ANSWERED, at=ex.NOW + 9)
    assert [m.stage for m in heard(session, first, done).session.messages] == [S.ANSWERED, S.ANSWERED]


@pytest.mark.parametrize("before", [S.TYPED, S.ACCEPTED])
def test_message_that_was_interrupted_before_it_was_worked_on_has_failed(before: MessageStage) -> None:
    draft = heard(ready(message(stage=before)), receipt(ReceiptStage.INTERRUPTED))
    (left,) = draft.session.messages
    assert (left.stage, left.reason) == (S.FAILED, delivery.UNREAD)
    assert draft.events[-1].level is Level.WARNING, "a person did that; it calls nobody"
