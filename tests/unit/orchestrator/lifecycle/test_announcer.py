"""Notifiers are told in order, at least once, each from its own kept position."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from typing_extensions import override

from orchestrator.domain.event import Event, Level
from orchestrator.domain.ids import ProjectId
from orchestrator.domain.notification import Notification
from orchestrator.errors import AoError, PermanentError, TemporaryError
from orchestrator.lifecycle import announcer as announcing
from orchestrator.lifecycle.announcer import Announcer
from orchestrator.ports.notifier import Delivered, Notifier
from orchestrator.storage.events import EventLog
from orchestrator.storage.faults import NoFaults
from orchestrator.testing.fakes.clock import FakeClock
from orchestrator.testing.waiting import eventually


class Receiver(Notifier):
    """Keeps what it was told; fails as often as a test says."""

    def __init__(self, *failures: Exception) -> None:
        self.got: list[str] = []
        self.tried = 0
        self.failures = list(failures)
        self.hangs = False
        self.free = asyncio.Event()
        self.closed = 0

    @override
    async def notify(self, notification: Notification) -> Delivered:
        assert not self.closed
        self.tried += 1
        if self.hangs:
            await self.free.wait()
        if self.failures:
            raise self.failures.pop(0)
        self.got.append(notification.key)
        return Delivered()

    @override
    async def ready(self) -> str:
        return ""

    @override
    async def aclose(self) -> None:
        self.closed += 1


class Positions:
    """Positions in memory. `dead`: the process ends before one is kept; `failures`: the disk refuses."""

    def __init__(self) -> None:
        self.values: dict[str, int] = {}
        self.dead = False
        self.failures: list[AoError] = []

    def get(self, name: str, default: object = None) -> object:
        return self.values.get(name, default)

    async def set(self, name: str, value: int) -> None:
        if self.dead:
            await asyncio.Event().wait()
        if self.failures:
            raise self.failures.pop()
        self.values[name] = value


class House:
    """A log, positions, a clock, and an announcer over them."""

    def __init__(self, log: EventLog) -> None:
        self.log = log
        self.positions = Positions()
        self.clock = FakeClock()
        self.heard: dict[Level, Sequence[str]] = dict.fromkeys(Level, ("a", "b"))
        self.forgotten: list[Notifier] = []
        self.announcer = self.another()

    def another(self) -> Announcer:
        return Announcer(
            log=self.log,
            positions=self.positions,
            clock=self.clock,
            rules=lambda _project: None,
            heard_by=self.heard.__getitem__,
            forget=self.forgotten.append,
        )

    async def tell(self, number: int, kind: str = "pr.opened", level: Level = Level.ACTION) -> None:
        event = Event(
            id=f"demo-1:{number}", type=kind, at=1.0, project=ProjectId("demo"), text="x", level=level
        )
        await self.log.append([event])

    async def until(self, receiver: Receiver, *numbers: int) -> None:
        async def got() -> list[str]:
            return receiver.got

        keys = [f"demo-1:{n}" for n in numbers]
        assert await eventually(got, lambda found: found == keys, limit=5) == keys

    async def closed(self, *receivers: Receiver) -> None:
        async def look() -> list[int]:
            return [receiver.closed for receiver in receivers]

        assert set(await eventually(look, all, limit=5)) == {1}
        assert self.forgotten == list(receivers)

    async def tried(self, receiver: Receiver, count: int) -> None:
        async def look() -> int:
            return receiver.tried

        await eventually(look, lambda found: found >= count, limit=5)
        for _ in range(5):
            await asyncio.sleep(0)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    log = EventLog(tmp_path / "events", NoFaults())
    await log.open()
    made = House(log)
    yield made
    await made.announcer.stop()
    await log.close()


async def begun(house: House, receiver: Receiver, name: str = "a") -> None:
    house.announcer.use({name: receiver})

    async def position() -> object:
        return house.positions.get(f"notified:{name}")

    await eventually(position, lambda at: at is not None)


async def test_new_notifier_hears_of_what_happens_from_now_on_in_order(house: House) -> None:
    await house.tell(1)
    receiver = Receiver()
    await begun(house, receiver)
    await house.tell(2)
    await house.tell(3)
    await house.until(receiver, 2, 3)


async def test_what_nobody_wants_to_hear_is_passed_over(house: House) -> None:
    receiver = Receiver()
    await begun(house, receiver)
    house.heard[Level.INFO] = ("b",)
    await house.tell(1, "session.working")
    await house.tell(2, level=Level.INFO)
    await house.tell(3)
    await house.until(receiver, 3)


async def test_stop_and_start_go_on_where_it_was(house: House) -> None:
    first = Receiver()
    await begun(house, first)
    await house.tell(1)
    await house.until(first, 1)
    await house.announcer.stop()
    await house.tell(2)
    house.announcer = house.another()
    second = Receiver()
    house.announcer.use({"a": second})
    await house.until(second, 2)


async def test_death_before_the_position_was_kept_tells_again_under_the_same_key(house: House) -> None:
    first = Receiver()
    await begun(house, first)

    house.positions.dead = True
    await house.tell(1)
    await house.until(first, 1)
    await house.announcer.stop()
    house.positions.dead = False
    house.announcer = house.another()
    second = Receiver()
    house.announcer.use({"a": second})
    await house.until(second, 1)


async def test_failure_that_may_pass_is_tried_again_after_its_delay_and_loses_nothing(house: House) -> None:
    receiver = Receiver(TemporaryError("429", delay=30.0), TemporaryError("429", delay=1.0))
    await begun(house, receiver)
    await house.tell(1)
    await house.tell(2)
    await house.tried(receiver, 1)
    assert house.announcer.trouble == {"a": "429"}
    house.clock.advance(29)
    for _ in range(5):
        await asyncio.sleep(0)
    assert receiver.tried == 1
    house.clock.advance(1)
    await house.tried(receiver, 2)
    house.clock.advance(2)
    await house.until(receiver, 1, 2)
    assert house.announcer.trouble == {}


async def test_refusal_is_kept_visible_and_the_next_is_told(house: House) -> None:
    receiver = Receiver(PermanentError("410 gone"))
    await begun(house, receiver)
    await house.tell(1)
    await house.tried(receiver, 1)
    assert house.announcer.trouble == {"a": "410 gone"}
    await house.tell(2)
    await house.until(receiver, 2)


async def test_receiver_that_hangs_is_given_up_after_its_time(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcing, "LIMIT", 0.02)
    receiver = Receiver()
    receiver.hangs = True
    await begun(house, receiver)
    await house.tell(1)

    async def trouble() -> str:
        return house.announcer.trouble.get("a", "")

    assert "no answer" in await eventually(trouble, bool)
    receiver.hangs = False
    house.clock.advance(5)
    await house.until(receiver, 1)


async def test_one_that_fails_holds_no_other_up(house: House) -> None:
    broken, well = Receiver(*[TemporaryError("down")] * 50), Receiver()
    house.announcer.use({"a": broken})
    await begun(house, broken)
    house.announcer.use({"a": broken, "b": well})

    async def position() -> object:
        return house.positions.get("notified:b")

    await eventually(position, lambda at: at is not None)
    await house.tell(1)
    await house.until(well, 1)
    assert broken.got == []


async def test_defect_of_a_notifier_is_trouble_and_not_the_end_of_its_task(house: House) -> None:
    receiver = Receiver(ZeroDivisionError("a defect"))
    await begun(house, receiver)
    await house.tell(1)
    await house.tried(receiver, 1)
    assert "a defect" in house.announcer.trouble["a"]
    await house.tell(2)
    await house.until(receiver, 2)


async def test_position_that_cannot_be_kept_is_tried_again_under_the_same_key(house: House) -> None:
    receiver = Receiver()
    await begun(house, receiver)
    house.positions.failures = [TemporaryError("the disk is full")]
    await house.tell(1)

    async def trouble() -> str:
        return house.announcer.trouble.get("a", "")

    assert await eventually(trouble, bool) == "the disk is full"
    house.clock.advance(60)
    await house.until(receiver, 1, 1)
    assert house.announcer.trouble == {}


async def test_notifier_that_is_taken_out_is_told_no_more(house: House) -> None:
    receiver = Receiver()
    await begun(house, receiver)
    house.announcer.use({})
    await asyncio.sleep(0)
    await house.tell(1)
    other = Receiver()
    await begun(house, other, "b")
    await house.tell(2)
    await house.until(other, 2)
    assert receiver.got == []


async def test_another_instance_under_the_same_name_takes_over(house: House) -> None:
    first, second = Receiver(), Receiver()
    await begun(house, first)
    await house.tell(1)
    await house.until(first, 1)
    house.announcer.use({"a": second})
    await house.closed(first)
    await house.tell(2)
    await house.until(second, 2)
    assert first.got == ["demo-1:1"]


async def test_the_same_instance_goes_on_as_it_was(house: House) -> None:
    receiver = Receiver(TemporaryError("429", delay=30.0))
    await begun(house, receiver)
    await house.tell(1)
    await house.tried(receiver, 1)
    house.announcer.use({"a": receiver})
    house.clock.advance(29)
    await house.tried(receiver, 1)
    assert (receiver.tried, receiver.closed, house.announcer.trouble) == (1, 0, {"a": "429"})


async def test_what_the_former_did_not_deliver_the_next_one_does(house: House) -> None:
    first, second = Receiver(*[TemporaryError("gone")] * 9), Receiver()
    await begun(house, first)
    await house.tell(1)
    await house.tell(2)
    await house.tried(first, 1)
    house.announcer.use({"a": second})
    await house.until(second, 1, 2)
    await house.closed(first)
    assert house.announcer.trouble == {}


async def test_what_is_being_delivered_meanwhile_is_delivered_once(house: House) -> None:
    first, second, third = Receiver(), Receiver(), Receiver()
    first.hangs = True
    await begun(house, first)
    await house.tell(1)
    await house.tell(2)
    await house.tried(first, 1)
    house.announcer.use({"a": second})
    house.announcer.use({})
    house.announcer.use({"a": third})
    await house.tried(first, 1)
    assert (third.tried, first.closed) == (0, 0)
    first.free.set()
    await house.until(third, 2)
    assert (first.got, second.got) == (["demo-1:1"], [])

    async def look() -> tuple[int, int]:
        return first.closed, second.closed

    assert await eventually(look, all) == (1, 1)


async def test_an_instance_of_two_names_is_closed_with_the_last(house: House) -> None:
    both = Receiver()
    house.announcer.use({"b": both})
    await begun(house, both, "b")
    house.announcer.use({"a": both, "b": both})
    house.announcer.use({"b": both})
    await house.tell(1)
    await house.until(both, 1)
    assert (both.closed, house.forgotten) == (0, [])
    house.announcer.use({})
    await house.closed(both)


async def test_stop_does_not_wait_for_a_delivery_and_closes_what_was_let_go(house: House) -> None:
    first, second = Receiver(), Receiver()
    first.hangs = True
    await begun(house, first)
    await house.tell(1)
    await house.tried(first, 1)
    house.announcer.use({"a": second})
    async with asyncio.timeout(5):
        await house.announcer.stop()
    assert (first.closed, second.closed) == (1, 0)  # what is in use is closed by whoever made it
