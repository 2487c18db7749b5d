"""What counts as the truth about an agent, and which samples are held against it."""

from __future__ import annotations

from typing import Any

from tests.soak.agent_truth import (
    ASKING,
    BUSY,
    EXITED,
    IDLE,
    RETRYING,
    UNSURE,
    Change,
    Sample,
    judge,
    timelines,
)


def answered(
    number: int, began: float, ended: float, kind: str = "tool", **fields: Any
) -> list[dict[str, Any]]:
    line = {
        "number": number,
        "time": began,
        "conversation": "c",
        "rule": "STUB-PLAN",
        "tool": None,
        "status": 200,
    }
    return [{**line, "human": f"[demo-1 #1 {kind}] Go", **fields}, {"ended": number, "time": ended}]


def states(log: list[dict[str, Any]], *deeds: Change) -> list[tuple[float, str]]:
    (changes,) = timelines(log, [("demo-1", deed) for deed in deeds]).values()
    return [(change.at, change.state) for change in changes]


def test_a_turn_is_busy_until_its_last_answer_was_given() -> None:
    log = [*answered(1, 10, 10, tool="Bash"), *answered(2, 30, 40)]
    assert states(log) == [(10, BUSY), (40, IDLE)]


def test_it_asks_until_it_was_answered() -> None:
    for log in (answered(1, 10, 11, tool="AskUserQuestion"), answered(1, 10, 11, "leave", tool="Bash")):
        after = answered(2, 20.2, 21)
        assert states([*log, *after], Change(20, BUSY, "")) == [
            (10, BUSY),
            (11, ASKING),
            (20, BUSY),
            (21, IDLE),
        ]


def test_after_an_error_it_tries_again() -> None:
    log = [*answered(1, 10, 11, status=429), *answered(2, 15, 16)]
    assert states(log) == [(10, BUSY), (11, RETRYING), (15, BUSY), (16, IDLE)]


def test_a_dead_one_is_dead_until_it_was_started_again() -> None:
    log = [*answered(1, 10, 11, tool="Bash"), *answered(2, 12, 14)]
    deeds = (
        Change(13, EXITED, "killed"),
        Change(20, UNSURE, "ao starts it"),
        Change(22, IDLE, "ao started it"),
    )
    assert states(log, *deeds) == [(10, BUSY), (13, EXITED), (20, UNSURE), (22, IDLE)]


def test_only_what_had_time_to_be_seen_is_judged() -> None:
    changes = {"demo-1": [Change(10, BUSY, ""), Change(20, IDLE, ""), Change(30, UNSURE, "")]}

    def right(begin: float, shown: str, end: float = 0.0) -> list[bool]:
        sample = Sample("demo-1", begin, end or begin, shown, "working", "")
        return [judged.right for judged in judge([sample], changes)]

    assert right(5, "busy") == []
    assert right(11.9, "busy") == []
    assert right(12, "busy") == [True]
    assert right(12, "idle") == [False]
    assert right(19.9, "busy", end=20.1) == []
    assert right(25, "idle") == [True]
    assert right(40, "idle") == []
