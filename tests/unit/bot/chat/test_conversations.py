"""A session's card and thread on a surface: nothing twice, nothing lost, whatever fails."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from bot.chat.conversations import Conversations
from bot.chat.room import CARD
from bot.demo.fake_room import FakeRoom, Shown, down
from orchestrator.domain.conversation import Conversation
from orchestrator.domain.event import Event, Level, LoggedEvent
from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.session import Question, Session, StatusLine
from orchestrator.domain.status import Status
from orchestrator.errors import PermanentError, TemporaryError
from orchestrator.testing import examples
from orchestrator.testing.fakes.clock import FakeClock
from orchestrator.testing.waiting import eventually


@dataclass
class Stand:
    """A fleet of sessions in memory, its log, and what is kept."""

    room: FakeRoom = field(default_factory=FakeRoom)
    clock: FakeClock = field(default_factory=FakeClock)
    sessions: dict[SessionId, Session] = field(default_factory=dict)
    ended: dict[SessionId, Session] = field(default_factory=dict)
    events: list[LoggedEvent] = field(default_factory=list)
    conversations: dict[str, Conversation] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    hearers: list[Callable[[Session], None]] = field(default_factory=list)
    told: asyncio.Condition = field(default_factory=asyncio.Condition)
    disk: list[TemporaryError] = field(default_factory=list)
    """Raised by the next writes."""
    writes_until_crash: int = -1
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    # what is needed of the fleet
    def all(self) -> tuple[Session, ...]:
        return tuple(self.sessions.values())

    def listen(self, hear: Callable[[Session], None]) -> None:
        self.hearers.append(hear)

    async def find(self, session: SessionId) -> Session | None:
        return self.sessions.get(session) or self.ended.get(session)

    # of the log
    @property
    def last_seq(self) -> int:
        return len(self.events)

    async def follow(self, after: int) -> AsyncIterator[LoggedEvent]:
        while True:
            while after < len(self.events):
                after += 1
                yield self.events[after - 1]
            async with self.told:
                await self.told.wait_for(lambda: after < len(self.events))  # noqa: B023

    # of what is kept
    async def read(self, project: ProjectId, session: SessionId, surface: str) -> Conversation:
        del project, surface
        return self.conversations.get(session, Conversation())

    async def write(
        self, project: ProjectId, session: SessionId, surface: str, conversation: Conversation
    ) -> None:
        del project, surface
        if self.disk:
            raise self.disk.pop(0)
        self.conversations[session] = conversation

    def get(self, name: str, default: Any = None) -> Any:
        return self.values.get(name, default)

    async def set(self, name: str, value: Any) -> None:
        self.values[name] = value

    # for the tests
    def made(self) -> Conversations:
        return Conversations(
            room=self.room,
            sessions=self,
            find=self.find,
            kept=self,
            log=self,
            positions=self,
            clock=self.clock,
        )

    def put(self, session: Session) -> Session:
        self.sessions[session.id] = session
        for hear in self.hearers:
            hear(session)
        return session

    async def happens(self, kind: str, session: Session, **data: Any) -> None:
        event = Event(
            id=f"{session.id}:{next(self.ids)}",
            type=kind,
            at=examples.NOW,
            project=session.project,
            session=session.id,
            text=f"{kind} happened",
            level=Level.INFO,
            data=data,
        )
        self.events.append(LoggedEvent(seq=len(self.events) + 1, event=event))
        async with self.told:
            self.told.notify_all()

    def one(self, about: str) -> Shown | None:
        found = self.room.about(about)
        assert len(found) < 2, f"{about} is there {len(found)} times"
        return found[0] if found else None

    async def shows(self, about: str, wanted: Callable[[Shown], object] = bool) -> Shown:
        async def look() -> Shown | None:
            return self.one(about)

        found = await eventually(look, lambda shown: shown is not None and wanted(shown))
        assert found is not None
        return found


@pytest.fixture
async def stand() -> Stand:
    return Stand()


@pytest.fixture
async def running(stand: Stand) -> AsyncIterator[Conversations]:
    made = stand.made()
    await made.start()
    yield made
    await made.stop()


def asking(**fields: Any) -> Session:
    question = Question(id="q12345678", text="One or two?", asked_at=examples.NOW, options=("one", "two"))
    line = StatusLine(status=Status.WAITING_INPUT, reason="asks", evidence="", since=examples.NOW)
    return examples.session(status=line, questions=(replace(question, **fields),))


@pytest.mark.usefixtures("running")
async def test_a_session_gets_one_card_and_its_thread(stand: Stand) -> None:
    session = stand.put(examples.session())
    card = await stand.shows(CARD)
    assert card.spot.channel == "C-demo"
    stand.put(asking())
    await stand.happens("question.asked", session, question="q12345678")
    post = await stand.shows("question:q12345678")
    assert post.spot.thread == card.id
    assert [button.label for button in post.entry.message.buttons] == ["one", "two"]
    await stand.shows(CARD, lambda shown: "Asks: One or two?" in shown.entry.message.lines)


@pytest.mark.usefixtures("running")
async def test_an_answer_takes_the_place_of_the_buttons(stand: Stand) -> None:
    session = stand.put(asking())
    await stand.happens("question.asked", session, question="q12345678")
    post = await stand.shows("question:q12345678")
    stand.put(asking(answer="two", answered_at=examples.NOW, answered_by=replace(examples.ADA, via="slack")))
    await stand.happens("question.answered", session, question="q12345678")
    now = await stand.shows("question:q12345678", lambda shown: shown.edits == 1)
    assert now.id == post.id
    assert now.entry.message.buttons == ()
    assert "ada in Slack answered: two" in now.entry.message.lines[-1]


@pytest.mark.usefixtures("running")
async def test_time_that_passes_is_no_edit(stand: Stand) -> None:
    stand.put(examples.session())
    card = await stand.shows(CARD)
    for minute in range(5):
        work = replace(examples.session().work, at=examples.NOW + 60 * minute)
        stand.put(examples.session(work=work, local_head=examples.HEAD))
    stand.put(examples.session(branch="feat/other"))
    await stand.shows(CARD, lambda shown: shown.edits == 1)
    assert card.edits == 1


async def test_a_busy_card_is_edited_at_its_pace_and_shows_the_last(stand: Stand) -> None:
    stand.room.pace = 3.0
    made = stand.made()
    await made.start()
    session = stand.put(examples.session())
    await stand.shows(CARD)
    stand.put(examples.session(branch="b/0"))
    await stand.shows(CARD, lambda shown: shown.edits == 1)
    for number in range(1, 9):
        stand.put(examples.session(branch=f"b/{number}"))
    await stand.happens("session.working", session)  # the thread does not wait for the card
    await stand.shows("demo-1:1")
    assert stand.room.about(CARD)[0].edits == 1

    async def passes() -> Shown:
        stand.clock.advance(1.0)
        return stand.room.about(CARD)[0]

    card = await eventually(passes, lambda shown: shown.edits == 2)
    assert any(item.value == "b/8" for item in card.entry.message.fields)
    await made.stop()


@pytest.mark.usefixtures("running")
async def test_a_surface_that_is_down_gets_all_of_it_in_order_later(stand: Stand) -> None:
    stand.room.failing = [down() for _ in range(6)]
    session = stand.put(examples.session())
    for kind in ("session.working", "pr.opened", "ci.failing"):
        await stand.happens(kind, session)

    async def passes() -> list[str]:
        stand.clock.advance(30.0)
        return [shown.entry.about for shown in stand.room.shown.values()]

    assert await eventually(passes, lambda told: len(told) == 4) == [CARD, "demo-1:1", "demo-1:2", "demo-1:3"]


async def test_of_two_sessions_one_that_fails_does_not_hold_up_the_other(stand: Stand) -> None:
    running = stand.made()
    await running.start()
    stand.room.failing = [down(delay=1000.0)]
    stand.put(examples.session())
    other = stand.put(examples.session(id=SessionId("demo-2")))
    await stand.happens("session.working", other)
    await stand.shows("demo-2:1")
    assert "does not answer" in running.trouble["demo-1"]
    await running.stop()


@pytest.mark.parametrize("about", [CARD, "demo-1:1"])
async def test_a_crash_between_the_post_and_its_record_shows_it_once(stand: Stand, about: str) -> None:
    session = examples.session()
    if about != CARD:
        first = stand.made()
        await first.start()
        stand.put(session)
        await stand.shows(CARD)
        await first.stop()
    stand.room.cut = [down(delay=10_000.0)]  # it was posted, and nobody heard
    crashing = stand.made()
    await crashing.start()
    stand.put(session)
    await stand.happens("session.working", session)
    await stand.shows(about)
    await crashing.stop()
    stand.hearers.clear()
    again = stand.made()
    await again.start()
    await stand.happens("pr.opened", session)
    await stand.shows("demo-1:2")
    assert [shown.entry.about for shown in stand.room.shown.values()] == [CARD, "demo-1:1", "demo-1:2"]
    assert any(call.startswith("find") for call in stand.room.calls)
    await again.stop()


async def test_what_happened_while_nothing_ran_is_told_at_the_next_start(stand: Stand) -> None:
    first = stand.made()
    await first.start()
    session = stand.put(examples.session())
    await stand.shows(CARD)
    await first.stop()
    stand.hearers.clear()
    stand.put(asking())
    await stand.happens("question.asked", session, question="q12345678")
    again = stand.made()
    await again.start()
    await stand.shows("question:q12345678")
    await stand.shows(CARD, lambda shown: shown.edits == 1)
    await again.stop()


async def test_the_end_of_a_session_is_told_though_it_ended_while_nothing_ran(stand: Stand) -> None:
    first = stand.made()
    await first.start()
    session = stand.put(examples.session())
    await stand.shows(CARD)
    await first.stop()
    del stand.sessions[session.id]
    stand.ended[session.id] = session
    await stand.happens("session.killed", session)
    again = stand.made()
    await again.start()
    assert (await stand.shows("demo-1:1")).entry.message.title == "⛔ Ended."
    await again.stop()


async def test_a_surface_that_is_new_tells_nothing_of_the_past(stand: Stand) -> None:
    session = stand.put(examples.session())
    await stand.happens("ci.failing", session)
    made = stand.made()
    await made.start()
    await stand.happens("ci.passing", session)
    await stand.shows("demo-1:2")
    assert stand.one("demo-1:1") is None
    await made.stop()


@pytest.mark.usefixtures("running")
async def test_a_card_that_somebody_deleted_comes_anew_with_the_open_question(stand: Stand) -> None:
    session = stand.put(asking())
    await stand.happens("question.asked", session, question="q12345678")
    await stand.shows("question:q12345678")
    stand.room.delete(stand.room.about(CARD)[0].id)
    stand.put(replace(asking(), branch="feat/other"))
    card = await stand.shows(CARD)
    post = await stand.shows("question:q12345678")
    assert post.spot.thread == card.id


@pytest.mark.usefixtures("running")
async def test_a_thread_that_is_gone_comes_anew_with_what_happens_then(stand: Stand) -> None:
    session = stand.put(examples.session())
    await stand.happens("session.working", session)
    await stand.shows("demo-1:1")
    stand.room.delete(stand.room.about(CARD)[0].id)
    await stand.happens("pr.opened", session)
    await stand.shows("demo-1:2")
    assert stand.one(CARD) is not None


async def test_what_a_surface_refuses_is_left_out_and_the_rest_goes_on(stand: Stand) -> None:
    running = stand.made()
    await running.start()
    session = stand.put(examples.session())
    await stand.shows(CARD)
    stand.room.failing = [PermanentError("too long.")]
    await stand.happens("session.working", session)
    await stand.happens("pr.opened", session)
    await stand.shows("demo-1:2")
    assert stand.one("demo-1:1") is None
    await running.stop()


@pytest.mark.usefixtures("running")
async def test_a_disk_that_refuses_posts_nothing_twice(stand: Stand) -> None:
    full = TemporaryError("the disk is full.", delay=1.0)
    stand.disk = [full, full]
    session = stand.put(examples.session())
    await stand.happens("session.working", session)

    async def passes() -> list[str]:
        stand.clock.advance(30.0)
        return sorted(shown.entry.about for shown in stand.room.shown.values())

    assert await eventually(passes, lambda told: len(told) == 2) == [CARD, "demo-1:1"]


@pytest.mark.usefixtures("running")
async def test_without_a_channel_nothing_is_posted(stand: Stand) -> None:
    stand.room.nowhere = True
    session = stand.put(examples.session())
    await stand.happens("session.working", session)
    stand.room.nowhere = False
    other = stand.put(examples.session(id=SessionId("demo-2")))
    await stand.happens("session.working", other)
    await stand.shows("demo-2:2")
    assert {shown.key.split("/")[0] for shown in stand.room.shown.values()} <= {"demo-1", "demo-2"}
