"""A label hands an issue to an agent: obeyed once, for members only, and what goes wrong is told once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.event import Event
from orchestrator.domain.ids import ProjectId
from orchestrator.domain.issue import IssueState
from orchestrator.domain.person import OWNER
from orchestrator.errors import NotAllowed, TemporaryError
from orchestrator.services.kill import kill
from orchestrator.testing.fakes.tracker import GO
from orchestrator.testing.ring import Ring

DEMO = ProjectId("demo")


@pytest.fixture
def served(ring: Ring) -> Ring:
    """As in `ao start`."""
    ring.core.serving.set()
    return ring


async def told(ring: Ring, kind: str) -> list[Event]:
    return [event for event in await ring.events() if event.type == kind]


def take_off(ring: Ring, ref: str) -> None:
    issue = ring.tracker.issues["demo", ref]
    left = tuple(label for label in issue.labels if label != GO)
    ring.tracker.issues["demo", ref] = replace(issue, labels=left)


async def test_a_marked_issue_is_spawned_and_the_session_says_who_marked_it(served: Ring) -> None:
    served.tracker.mark("3", by="alice")
    await served.later(60)
    (session,) = served.fleet.all()
    assert (session.task.issue, session.branch) == ("3", "feat/issue-3")
    assert (session.created_by.kind.value, session.created_by.name) == ("rule", "label agent:go (alice)")
    assert served.tracker.issues["demo", "3"].state is IssueState.IN_PROGRESS


async def test_a_mark_is_obeyed_once_although_the_label_stays(served: Ring) -> None:
    served.tracker.label_stays = True
    served.tracker.mark("3")
    await served.later(60)
    await kill(served.core, served.fleet.all()[0].id, by=OWNER)
    await served.later(180)
    again = await served.crash()
    again.core.serving.set()
    await again.later(120)
    assert again.fleet.all() == ()
    assert again.tracker.asked >= 4
    again.tracker.mark("3")  # taken off and set again
    await again.later(60)
    assert [s.task.issue for s in again.fleet.all()] == ["3"]


async def test_a_crash_before_the_mark_is_kept_makes_no_second_session(served: Ring) -> None:
    served.tracker.mark("3")
    await served.spawn("3")  # as the intake did, and then was killed
    await served.later(60)
    assert [s.id for s in served.fleet.all()] == ["demo-1"]
    assert GO not in served.tracker.issues["demo", "3"].labels
    assert await told(served, "intake.refused") == []


async def test_an_outsider_is_not_obeyed_and_that_is_told_once(served: Ring) -> None:
    served.tracker.mark("3", by="eve", reason="eve may only read o/r")
    await served.later(300)
    assert served.fleet.all() == ()
    (event,) = await told(served, "intake.refused")
    assert "issue 3 (Issue 3): eve may only read o/r" in event.text
    assert event.level.value == "info"
    again = await served.crash()
    again.core.serving.set()
    await again.later(120)
    assert len(await told(again, "intake.refused")) == 1
    again.tracker.mark("3", by="alice")
    await again.later(60)
    assert [s.task.issue for s in again.fleet.all()] == ["3"]


async def test_a_thousand_marks_of_an_outsider_are_a_few_messages_and_hold_no_member_up(served: Ring) -> None:
    for number in range(1, 31):
        served.tracker.mark(str(number), by="eve", reason="eve has no rights in o/r")
    served.tracker.mark("35", by="alice")
    await served.later(60)
    assert [s.task.issue for s in served.fleet.all()] == ["35"]
    assert len(await told(served, "intake.refused")) <= 2


async def test_more_marks_than_places_wait_as_sessions(served: Ring) -> None:
    served.room.append(replace(served.room[-1], sessions=2))
    for number in range(1, 26):
        served.tracker.mark(str(number))
    await served.later(60)
    statuses = [s.status.status.value for s in served.fleet.all()]
    assert len(statuses) == 25
    assert statuses.count("queued") == 23


async def test_the_issue_shows_at_once_that_it_was_taken_up_and_is_given_back_with_the_session(
    served: Ring,
) -> None:
    served.room.append(replace(served.room[-1], sessions=1))
    await served.spawn("1")
    served.tracker.mark("3")
    await served.later(60)
    shown = [served.tracker.issues["demo", "3"].state]
    waits = served.fleet.all()[-1]
    assert waits.status.status.value == "queued"
    await kill(served.core, waits.id, by=OWNER)
    await served.later(30)
    shown.append(served.tracker.issues["demo", "3"].state)
    assert shown == [IssueState.IN_PROGRESS, IssueState.OPEN]


async def test_an_issue_that_cannot_be_read_holds_no_other_up(served: Ring) -> None:
    served.tracker.unreadable["3"] = "502"
    served.tracker.mark("3")
    served.tracker.mark("4")
    await served.later(60)
    assert [s.task.issue for s in served.fleet.all()] == ["4"]
    served.tracker.unreadable.clear()
    await served.later(300)
    assert [s.task.issue for s in served.fleet.all()] == ["4", "3"]


async def test_what_cannot_be_spawned_is_told_once_with_what_to_do(served: Ring) -> None:
    one = await served.spawn("3")
    await served.workspace.commit(one, "a.py", "1")
    await served.look(one)
    await kill(served.core, one, by=OWNER)
    await served.settle()
    served.tracker.mark("3")
    await served.later(300)
    assert served.fleet.all() == ()
    (event,) = await told(served, "intake.refused")
    assert "demo-1 has ended and left work on issue 3" in event.text
    assert "ao restore demo-1" in event.text


async def test_a_tracker_that_is_down_is_asked_less_often_and_told_of_once(served: Ring) -> None:
    await served.later(60)
    before = served.tracker.asked
    for _ in range(40):
        served.tracker.fail_next(TemporaryError("502"))
        await served.later(60)
    assert 4 <= served.tracker.asked - before <= 8
    assert len(await told(served, "intake.trouble")) == 1
    served.tracker.mark("3")
    await served.later(1900)  # the failure that is armed still, and one more wait
    assert [s.task.issue for s in served.fleet.all()] == ["3"]


async def test_one_failure_is_no_news_and_a_refusal_is(served: Ring) -> None:
    served.tracker.fail_next(TemporaryError("502"))
    await served.later(60)
    assert await told(served, "intake.trouble") == []
    served.tracker.fail_next(NotAllowed("bad credentials"))
    await served.later(120)
    (event,) = await told(served, "intake.trouble")
    assert "bad credentials" in event.text


async def test_a_webhook_asks_at_once_and_a_storm_of_them_does_not_ask_at_each(served: Ring) -> None:
    await served.later(60)
    served.tracker.mark("3")
    served.clock.advance(5)
    served.intake.wake(DEMO)
    await served.settle()
    assert [s.task.issue for s in served.fleet.all()] == ["3"]
    before = served.tracker.asked
    for _ in range(50):
        served.intake.wake(DEMO)
        await served.settle()
    assert served.tracker.asked - before <= 1


async def test_an_ao_command_without_a_server_asks_no_queue(ring: Ring) -> None:
    ring.tracker.mark("3")
    await ring.later(120)
    assert (ring.fleet.all(), ring.tracker.asked) == ((), 0)


async def test_a_label_that_was_taken_off_again_starts_nothing(served: Ring) -> None:
    await served.later(60)
    served.tracker.mark("3")
    take_off(served, "3")
    await served.later(120)
    assert served.fleet.all() == ()
