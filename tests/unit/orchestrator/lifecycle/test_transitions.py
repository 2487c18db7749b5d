"""Which status may follow which, and what a move tells, word for word."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.activity import ActivityState
from orchestrator.domain.event import Level
from orchestrator.domain.session import (
    RuntimeFact,
    RuntimeState,
    Session,
    Setup,
    SetupStep,
    StatusLine,
    StopReason,
    Wanted,
    WantedState,
    Work,
)
from orchestrator.domain.status import Status
from orchestrator.lifecycle import transitions
from orchestrator.lifecycle.draft import Draft
from orchestrator.lifecycle.transitions import LEGAL
from orchestrator.testing import examples as ex

RULES = ex.rules()
IDLE = Work(activity=ex.activity(ActivityState.IDLE), at=ex.NOW, progress_at=ex.NOW)
WAS = StatusLine(status=Status.WORKING, reason="busy", evidence="", since=ex.NOW - 60)


def settled(session: Session, after: float = 0.0) -> Draft:
    draft = Draft(session, ex.NOW + after)
    transitions.settle(draft, RULES)
    return draft


def told(draft: Draft) -> list[tuple[str, str, Level, dict[str, object]]]:
    return [(e.type, e.text, e.level, dict(e.data)) for e in draft.events]


def in_state(state: ActivityState, **fields: object) -> dict[str, object]:
    return {"work": replace(IDLE, activity=ex.activity(state), **fields)}  # type: ignore[arg-type]


def stop(reason: StopReason) -> dict[str, object]:
    return {"wanted": Wanted(state=WantedState.STOP, by=ex.ADA, at=ex.NOW, reason=reason, words="so")}


GONE = RuntimeFact(state=RuntimeState.MISSING, at=ex.NOW, reason="gone")
UNKNOWN = RuntimeFact(state=RuntimeState.UNKNOWN, at=ex.NOW, reason="no answer")
PAUSE = Wanted(state=WantedState.PAUSE, by=ex.ADA, at=ex.NOW)
MOVES: list[tuple[str, dict[str, object], str, Level]] = [
    ("idle", {"work": IDLE}, "session.idle", Level.INFO),
    ("waiting_input", in_state(ActivityState.ASKING), "session.waiting_input", Level.INFO),
    ("paused", {"wanted": PAUSE}, "session.paused", Level.INFO),
    ("limited", in_state(ActivityState.LIMITED), "session.limited", Level.WARNING),
    ("stuck", in_state(ActivityState.BLOCKED), "session.stuck", Level.URGENT),
    ("detecting", {"runtime": UNKNOWN}, "session.detecting", Level.INFO),
    ("merged", stop(StopReason.MERGED), "session.merged", Level.INFO),
    ("done", {"work": replace(IDLE, reported_done=True)}, "session.done", Level.INFO),
    ("errored", {"runtime": GONE}, "session.errored", Level.URGENT),
    ("killed", stop(StopReason.KILLED), "session.killed", Level.INFO),
    ("spawning", {"setup": Setup(step=SetupStep.STARTING, at=ex.NOW)}, "session.spawning", Level.INFO),
    ("queued", {"setup": Setup(step=SetupStep.QUEUED, at=ex.NOW)}, "session.queued", Level.INFO),
]


@pytest.mark.parametrize(("status", "fields", "kind", "level"), MOVES, ids=[m[0] for m in MOVES])
def test_move_is_told_once_with_what_it_was(
    status: str, fields: dict[str, object], kind: str, level: Level
) -> None:
    draft = settled(ex.session(status=WAS, **fields))
    line = draft.session.status
    assert line.status.value == status
    assert line.since == ex.NOW
    data = {"was": "working", "status": status}
    assert told(draft) == [(kind, line.reason, level, data)]
    assert settled(draft.session).events == []


def test_working_is_told_too() -> None:
    was = replace(WAS, status=Status.IDLE)
    assert [(e.type, e.level) for e in settled(ex.session(status=was)).events] == [
        ("session.working", Level.INFO)
    ]


@pytest.mark.parametrize(
    ("change", "kind", "level"),
    [
        (ex.change(), "review.pending", Level.ACTION),
        (ex.change(ex.pull_request(), approvals=(ex.approval(),)), "merge.ready", Level.ACTION),
    ],
)
def test_what_a_person_is_to_do_names_the_head(change: object, kind: str, level: Level) -> None:
    (event,) = settled(ex.session(work=IDLE, changes=(change,), status=WAS)).events
    assert (event.type, event.level, event.data["head"]) == (kind, level, ex.HEAD)
    assert event.data["url"] == "https://forge.example/7"


def test_statuses_that_the_pull_request_tells_by_itself_are_silent() -> None:
    red = ex.session(work=IDLE, changes=(ex.change(ex.red()),), status=WAS)
    draft = settled(red)
    assert (draft.session.status.status, draft.events) == (Status.CI_FAILED, [])


def test_what_was_lost_with_all_others_raises_no_alarm() -> None:
    lost = ex.session(runtime=replace(GONE, lost=True), status=WAS)
    assert [(e.type, e.level) for e in settled(lost).events] == [("session.errored", Level.INFO)]


def test_same_status_with_other_words_is_no_news_and_keeps_since() -> None:
    draft = settled(ex.session(status=WAS), after=5)
    assert draft.events == []
    assert draft.session.status.reason == "the agent works on what it was told"
    assert (draft.session.status.since, draft.session.status.evidence) == (
        WAS.since,
        "its terminal runs; the agent works, by its own signal",
    )
    assert settled(draft.session).session is draft.session


FINAL = [Status.KILLED]


def test_kill_is_final_but_for_a_restore_and_a_refused_move_keeps_the_facts() -> None:
    assert LEGAL[Status.KILLED] == {Status.QUEUED, Status.SPAWNING}
    draft = settled(ex.session(status=replace(WAS, status=Status.KILLED), dirty=3))
    words = "killed may not become working (the agent works on what it was told)"
    assert (draft.session.status.status, draft.session.status.reason) == (Status.KILLED, words)
    assert (draft.session.dirty, [e.type for e in draft.events]) == (3, ["session.illegal_move"])
    assert settled(draft.session).events == []


def test_merged_session_that_is_not_to_end_goes_on() -> None:
    going_on = settled(ex.session(status=replace(WAS, status=Status.MERGED)))
    assert going_on.session.status.status is Status.WORKING


def test_every_status_has_its_moves() -> None:
    assert LEGAL.keys() == set(Status)
    live = set(Status) - {Status.QUEUED, Status.SPAWNING}
    assert LEGAL[Status.SPAWNING] == live | {Status.QUEUED}
    assert LEGAL[Status.QUEUED] == {
        Status.SPAWNING,
        Status.PAUSED,
        Status.MERGING,
        Status.KILLED,
        Status.ERRORED,
        Status.DONE,
    }
    for status in live - set(FINAL):
        assert LEGAL[status] == set(Status)
