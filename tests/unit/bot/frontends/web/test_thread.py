"""A thread is made of events: one entry for each thing, in the order in which it began."""

from __future__ import annotations

from dataclasses import replace

from bot.frontends.web.board import View
from bot.frontends.web.thread import anchor, thread
from orchestrator.domain.event import Event, LoggedEvent
from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.message import Message, MessageStage
from orchestrator.testing import examples


def _logged(seq: int, kind: str, **data: str | int) -> LoggedEvent:
    event = Event(
        id=f"demo-1:{seq}",
        type=kind,
        at=examples.NOW + seq,
        project=ProjectId("demo"),
        session=SessionId("demo-1"),
        text=kind,
        data=dict(data),
    )
    return LoggedEvent(seq=seq, event=event)


def test_a_message_is_one_entry_however_many_stages_it_went_through() -> None:
    told = Message(number=1, text="Hurry", by="ada", at=examples.NOW, stage=MessageStage.WORKING)
    session = replace(examples.session(), messages=(told,))
    events = [
        _logged(1, "message.received", number=1),
        _logged(2, "session.stuck"),
        _logged(3, "message.typed", number=1),
        _logged(4, "message.working", number=1),
    ]
    made = thread(session, events, View())
    assert [entry.about for entry in made.entries] == ["message:1", "demo-1:2"]
    assert made.entries[0].stage is MessageStage.WORKING
    assert made.card.title.startswith("demo-1")
    assert not made.cut


def test_what_an_entry_is_about_names_it_in_the_page() -> None:
    assert anchor("message:1") == anchor("message:1") != anchor("message:2")
    assert anchor('"><script>').removeprefix("e-").isalnum()


def test_what_becomes_of_a_review_does_not_move_it_in_time() -> None:
    change = examples.change(approvals=(examples.approval(),))
    session = replace(examples.session(), changes=(change,))
    events = [
        _logged(1, "review.pending", head=examples.HEAD),
        _logged(9, "review.approved_here", head=examples.HEAD),
    ]
    [entry] = thread(session, events, View()).entries
    assert entry.at == examples.NOW + 1
    assert entry.message.lines == ("👍 Approved by ada.",)
