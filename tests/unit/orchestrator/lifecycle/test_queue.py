"""Who may start, and what the others are told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.session import (
    Ending,
    EndingStep,
    RuntimeFact,
    RuntimeState,
    Session,
    Setup,
    SetupStep,
    StopReason,
    Wanted,
    WantedState,
)
from orchestrator.lifecycle import queue
from orchestrator.lifecycle.queue import Admission, Room
from orchestrator.testing import examples as ex

MB = 2**20


def admit(sessions: list[Session], room: Room, after: float = 0.0) -> list[Admission]:
    return queue.admit(sessions, room, ex.NOW + after)


def waiting(number: int, asked: float = 0.0, project: str = "demo") -> Session:
    made = ex.session(setup=Setup(step=SetupStep.QUEUED, at=ex.NOW + asked))
    return replace(
        made, id=SessionId(f"demo-{number}"), project=ProjectId(project), created_at=ex.NOW + asked
    )


def running(number: int, project: str = "demo") -> Session:
    return replace(ex.session(), id=SessionId(f"demo-{number}"), project=ProjectId(project))


def test_admits_in_the_order_of_asking_up_to_the_limit() -> None:
    found = admit([waiting(3, 3), running(1), waiting(2, 1)], Room(sessions=2))
    assert [(a.session, a.admitted) for a in found] == [("demo-2", True), ("demo-3", False)]
    assert found[1].reason == "waits: 2 of 2 sessions run; number 1 in line"


def test_says_the_place_in_line() -> None:
    found = admit([running(1), waiting(2, 1), waiting(3, 2), waiting(4, 3)], Room(sessions=1))
    assert [a.reason.rpartition("number ")[2] for a in found] == ["1 in line", "2 in line", "3 in line"]


def test_limit_of_a_project_holds_back_only_that_project() -> None:
    room = Room(sessions=9, per_project=1)
    found = admit([running(1), waiting(2, 1), waiting(3, 2, "other")], room)
    assert [(a.session, a.admitted) for a in found] == [("demo-2", False), ("demo-3", True)]
    assert "of 1 sessions of demo" in found[0].reason


def test_waits_for_memory_but_one_session_always_starts() -> None:
    tight = Room(sessions=9, free_memory=100 * MB, memory=512 * MB)
    assert admit([waiting(1)], tight)[0].admitted
    held = admit([running(1), waiting(2)], tight)[0]
    assert not held.admitted
    assert held.reason.startswith("waits for memory: 100 MB free, 512 MB for an agent")


def test_agents_that_are_starting_count_as_memory_already_taken() -> None:
    room = Room(sessions=9, free_memory=1200 * MB, memory=512 * MB)
    found = admit([running(1), waiting(2, 1), waiting(3, 2), waiting(4, 3)], room)
    assert [a.admitted for a in found] == [True, True, False]


def test_unknown_memory_and_no_memory_limit_hold_nobody_back() -> None:
    assert admit([running(1), waiting(2)], Room(sessions=9, memory=512 * MB))[0].admitted
    assert admit([running(1), waiting(2)], Room(sessions=9, free_memory=1, memory=0))[0].admitted


def test_paused_sessions_do_not_start_and_ending_ones_give_their_place_back() -> None:
    paused = replace(waiting(2), wanted=Wanted(state=WantedState.PAUSE, by=ex.ADA, at=ex.NOW))
    stop = Wanted(state=WantedState.STOP, by=ex.ADA, at=ex.NOW, reason=StopReason.KILLED)
    stopped = replace(running(1), wanted=stop, ending=Ending(step=EndingStep.RUNTIME))
    stopping = replace(running(4), wanted=stop)
    assert admit([paused], Room(sessions=9)) == []
    assert admit([stopped, waiting(3)], Room(sessions=1))[0].admitted
    assert not admit([stopping, waiting(3)], Room(sessions=1))[0].admitted


@pytest.mark.parametrize("state", [RuntimeState.EXITED, RuntimeState.MISSING])
def test_session_whose_agent_is_gone_takes_no_place_and_no_memory(state: RuntimeState) -> None:
    dead = replace(running(1), runtime=RuntimeFact(state=state, at=ex.NOW))
    doubted = replace(running(1), runtime=RuntimeFact(state=RuntimeState.UNKNOWN, at=ex.NOW))
    tight = Room(sessions=1, free_memory=100 * MB, memory=512 * MB)
    assert admit([dead, waiting(2)], tight)[0].admitted
    assert admit([doubted, waiting(2)], tight)[0].reason.startswith("waits: 1 of 1 sessions run")


def test_restores_come_a_few_a_minute() -> None:
    def restoring(number: int) -> Session:
        made = waiting(number, number)
        return replace(made, setup=replace(made.setup, resume=True))

    lost = [restoring(n) for n in range(1, 10)]
    first = admit(lost, Room(sessions=30, restores=6))
    assert [a.admitted for a in first] == [True] * 6 + [False] * 3
    assert "restored within the last minute" in first[-1].reason
    ready = replace(running(1), setup=Setup(step=SetupStep.READY, at=ex.NOW, resume=True))
    assert not admit([ready, lost[1]], Room(sessions=30, restores=1), 59)[0].admitted
    assert admit([ready, lost[1]], Room(sessions=30, restores=1), 60)[0].admitted
    assert admit([ready, waiting(2)], Room(sessions=30, restores=1))[0].admitted
