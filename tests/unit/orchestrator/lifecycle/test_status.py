"""Which status follows from which facts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.domain.activity import ActivityState
from orchestrator.domain.pull_request import Checks, Mergeable, PullRequestState, ReviewDecision
from orchestrator.domain.session import (
    Approval,
    Change,
    Intent,
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
from orchestrator.domain.status import Status
from orchestrator.lifecycle import status
from orchestrator.testing import examples as ex

RULES = ex.rules()
IDLE = Work(activity=ex.activity(ActivityState.IDLE), at=ex.NOW, progress_at=ex.NOW)
BUSY = Work(activity=ex.activity(ActivityState.BUSY), at=ex.NOW, progress_at=ex.NOW)
APPROVED = (Approval(by=ex.ADA, head=ex.HEAD, at=ex.NOW),)


def of(session: Session, after: float = 0.0) -> Status:
    return status.derive(session, RULES, ex.NOW + after).status


def stopped(reason: StopReason) -> Wanted:
    return Wanted(state=WantedState.STOP, by=ex.ADA, at=ex.NOW, reason=reason)


def gone(code: int | None = None, state: RuntimeState = RuntimeState.EXITED) -> RuntimeFact:
    return RuntimeFact(state=state, at=ex.NOW, reason="gone", exit_code=code)


WITHOUT_PULL_REQUEST: list[tuple[str, dict[str, Any], Status]] = [
    ("queued", {"setup": Setup(step=SetupStep.QUEUED, at=ex.NOW)}, Status.QUEUED),
    ("reserving", {"setup": Setup(step=SetupStep.RESERVING, at=ex.NOW)}, Status.SPAWNING),
    ("workspace", {"setup": Setup(step=SetupStep.WORKSPACE, at=ex.NOW)}, Status.SPAWNING),
    ("starting", {"setup": Setup(step=SetupStep.STARTING, at=ex.NOW)}, Status.SPAWNING),
    ("setup failed", {"setup": Setup(step=SetupStep.FAILED, at=ex.NOW)}, Status.ERRORED),
    ("busy", {"work": BUSY}, Status.WORKING),
    ("idle", {"work": IDLE}, Status.IDLE),
    ("says done", {"work": replace(IDLE, reported="done")}, Status.DONE),
    ("says done and works on", {"work": replace(BUSY, reported="done")}, Status.WORKING),
    ("limited", {"work": replace(IDLE, activity=ex.activity(ActivityState.LIMITED))}, Status.LIMITED),
    ("blocked", {"work": replace(IDLE, activity=ex.activity(ActivityState.BLOCKED))}, Status.STUCK),
    (
        "permission",
        {"work": replace(IDLE, activity=ex.activity(ActivityState.PERMISSION))},
        Status.WAITING_INPUT,
    ),
    ("asks", {"questions": (Question(id="q1", text="why?", asked_at=ex.NOW),)}, Status.WAITING_INPUT),
    ("killed", {"wanted": stopped(StopReason.KILLED)}, Status.KILLED),
    ("paused", {"wanted": Wanted(state=WantedState.PAUSE, by=ex.ADA, at=ex.NOW)}, Status.PAUSED),
    ("unknown", {"runtime": gone(state=RuntimeState.UNKNOWN)}, Status.DETECTING),
    ("exited well", {"runtime": gone(0)}, Status.DONE),
    ("crashed", {"runtime": gone(3)}, Status.ERRORED),
    ("missing", {"runtime": gone(state=RuntimeState.MISSING)}, Status.ERRORED),
]


@pytest.mark.parametrize(
    ("facts", "expected"), [c[1:] for c in WITHOUT_PULL_REQUEST], ids=[c[0] for c in WITHOUT_PULL_REQUEST]
)
def test_without_pull_request(facts: dict[str, Any], expected: Status) -> None:
    assert of(ex.session(**facts)) is expected


WITH_PULL_REQUEST: list[tuple[str, Change, Status]] = [
    ("review wanted", ex.change(), Status.REVIEW_PENDING),
    ("approved and green", ex.change(approvals=APPROVED), Status.MERGEABLE),
    (
        "approval of another head",
        ex.change(approvals=(replace(APPROVED[0], head=ex.OTHER_HEAD),)),
        Status.REVIEW_PENDING,
    ),
    (
        "approved, checks run",
        ex.change(ex.pull_request(checks=Checks.PENDING), approvals=APPROVED),
        Status.PR_OPEN,
    ),
    (
        "approved, mergeability unknown",
        ex.change(ex.pull_request(mergeable=Mergeable.UNKNOWN), approvals=APPROVED),
        Status.APPROVED,
    ),
    (
        "no checks at all",
        ex.change(ex.pull_request(checks=Checks.NONE), approvals=APPROVED),
        Status.MERGEABLE,
    ),
    ("forge blocks", ex.change(ex.pull_request(blockers=("frozen",)), approvals=APPROVED), Status.APPROVED),
    ("draft", ex.change(ex.pull_request(state=PullRequestState.DRAFT), approvals=APPROVED), Status.PR_OPEN),
    ("red", ex.change(ex.red()), Status.CI_FAILED),
    ("conflict before red", ex.change(replace(ex.red(), mergeable=Mergeable.CONFLICTED)), Status.CONFLICTED),
    (
        "changes asked for",
        ex.change(ex.pull_request(decision=ReviewDecision.CHANGES_REQUESTED), approvals=APPROVED),
        Status.CHANGES_REQUESTED,
    ),
    ("merged", ex.change(ex.pull_request(state=PullRequestState.MERGED)), Status.MERGED),
    ("closed", ex.change(ex.pull_request(state=PullRequestState.CLOSED)), Status.IDLE),
]


@pytest.mark.parametrize(
    ("seen", "expected"), [c[1:] for c in WITH_PULL_REQUEST], ids=[c[0] for c in WITH_PULL_REQUEST]
)
def test_with_pull_request(seen: Change, expected: Status) -> None:
    assert of(ex.session(work=IDLE, changes=(seen,))) is expected


def test_hold_keeps_an_approved_head_from_being_mergeable() -> None:
    held = ex.session(work=IDLE, changes=(ex.change(approvals=APPROVED),), hold=ex.ADA)
    line = status.derive(held, RULES, ex.NOW)
    assert line.status is Status.APPROVED
    assert "ada holds it" in line.reason


def test_merge_intent_shows_as_merging() -> None:
    intent = Intent(key="merge", at=ex.NOW, data={"head": ex.HEAD, "by": "ada"})
    assert (
        of(ex.session(work=IDLE, changes=(ex.change(approvals=APPROVED),), intents=(intent,)))
        is Status.MERGING
    )


@pytest.mark.parametrize(
    "seen",
    [
        ex.change(ex.red()),
        ex.change(ex.pull_request(decision=ReviewDecision.CHANGES_REQUESTED)),
        ex.change(ex.pull_request(mergeable=Mergeable.CONFLICTED)),
    ],
    ids=["red", "changes requested", "conflicted"],
)
def test_pull_request_that_waits_for_an_idle_agent_becomes_stuck_and_stays_so(seen: Change) -> None:
    waiting = ex.session(work=IDLE, changes=(seen,))
    assert of(waiting, RULES.stuck_after) is not Status.STUCK
    late = status.derive(waiting, RULES, ex.NOW + RULES.stuck_after + 1)
    assert late.status is Status.STUCK
    again = status.derive(replace(waiting, status=late), RULES, ex.NOW + RULES.stuck_after + 2)
    assert again == late


def test_review_that_waits_for_people_is_never_stuck() -> None:
    assert of(ex.session(work=IDLE, changes=(ex.change(),)), 10 * RULES.stuck_after) is Status.REVIEW_PENDING


def test_silence_is_stuck_but_a_running_tool_call_is_work() -> None:
    assert of(ex.session(work=BUSY), RULES.stuck_after + 1) is Status.STUCK
    testing = replace(BUSY, activity=ex.activity(ActivityState.BUSY, tool="Bash: make test"))
    assert of(ex.session(work=testing), 100 * RULES.stuck_after) is Status.WORKING


def test_finished_agent_without_pull_request_never_becomes_stuck() -> None:
    assert of(ex.session(work=IDLE), 100 * RULES.stuck_after) is Status.IDLE


def test_doubt_is_bounded() -> None:
    doubt = RuntimeFact(
        state=RuntimeState.UNKNOWN, at=ex.NOW, reason="tmux does not answer", doubt_since=ex.NOW
    )
    assert of(ex.session(runtime=doubt), RULES.detecting_for) is Status.DETECTING
    line = status.derive(ex.session(runtime=doubt), RULES, ex.NOW + RULES.detecting_for + 1)
    assert line.status is Status.STUCK
    assert "tmux does not answer" in line.reason


def test_agent_gone_with_a_green_pull_request_leaves_it_to_people() -> None:
    assert of(ex.session(runtime=gone(0), changes=(ex.change(),))) is Status.REVIEW_PENDING


def test_agent_gone_with_a_red_pull_request_is_an_error() -> None:
    assert of(ex.session(runtime=gone(0), changes=(ex.change(ex.red()),))) is Status.ERRORED


def test_kill_of_a_session_with_an_open_question_is_a_kill() -> None:
    asked = (Question(id="q1", text="why?", asked_at=ex.NOW),)
    assert (
        of(ex.session(questions=asked, wanted=stopped(StopReason.KILLED), runtime=gone(9))) is Status.KILLED
    )


def test_every_status_has_reason_and_evidence() -> None:
    for _, facts, _ in WITHOUT_PULL_REQUEST:
        line = status.derive(ex.session(**facts), RULES, ex.NOW)
        assert line.reason
        assert line.evidence
