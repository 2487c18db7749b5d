"""Which status follows from which facts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.domain.activity import ActivityState, Source
from orchestrator.domain.message import Message
from orchestrator.domain.pull_request import Checks, Mergeable, PullRequestState, ReviewDecision
from orchestrator.domain.session import (
    Approval,
    Change,
    Ending,
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
    ("says done", {"work": replace(IDLE, reported_done=True)}, Status.DONE),
    ("says done and works on", {"work": replace(BUSY, reported_done=True)}, Status.WORKING),
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


def test_dead_agent_is_dead_whatever_it_asked_before() -> None:
    asked = (Question(id="q1", text="why?", asked_at=ex.NOW, source="dialog"),)
    for work in (IDLE, replace(IDLE, activity=ex.activity(ActivityState.PERMISSION))):
        assert of(ex.session(work=work, questions=asked, runtime=gone(1))) is Status.ERRORED


def test_agents_question_is_seen_whatever_its_pull_request_is() -> None:
    asked = (Question(id="q1", text="why?", asked_at=ex.NOW),)
    for seen in (ex.change(ex.red()), ex.change(), ex.change(approvals=APPROVED)):
        assert of(ex.session(work=IDLE, changes=(seen,), questions=asked)) is Status.WAITING_INPUT


def test_every_status_has_reason_and_evidence() -> None:
    for _, facts, _ in WITHOUT_PULL_REQUEST:
        line = status.derive(ex.session(**facts), RULES, ex.NOW)
        assert line.reason
        assert line.evidence


# Word for word ------------------------------------------------------------------------------------


def does(state: ActivityState, evidence: str = "hook x", **fields: Any) -> dict[str, Any]:
    return {"work": replace(IDLE, activity=ex.activity(state, evidence=evidence), **fields)}


def seen_on_screen(state: ActivityState) -> dict[str, Any]:
    return {
        "work": replace(
            IDLE, activity=ex.activity(state, source=Source.SCREEN, evidence="screen shows 'y/n'")
        )
    }


def stays(seen: Change, state: ActivityState = ActivityState.IDLE) -> dict[str, Any]:
    return {**does(state), "changes": (seen,)}


def merging(**data: str) -> dict[str, Any]:
    return {
        "work": IDLE,
        "intents": (Intent(key="answer:q", at=0), Intent(key="merge", at=ex.NOW, data=data)),
    }


PAUSED = Wanted(state=WantedState.PAUSE, by=ex.ADA, at=ex.NOW)
QUESTION = Question(id="q1", text=f"{'w' * 250}\nmore", asked_at=ex.NOW)
DOUBT = RuntimeFact(state=RuntimeState.UNKNOWN, at=ex.NOW, reason="no answer")
WAITS = "clean-up waits: device is busy"
CONFLICT = ex.change(ex.pull_request(mergeable=Mergeable.CONFLICTED))
ASKED = ex.change(ex.pull_request(decision=ReviewDecision.CHANGES_REQUESTED))
MERGED = ex.change(ex.pull_request(state=PullRequestState.MERGED))
CLOSED = ex.change(ex.pull_request(state=PullRequestState.CLOSED))
TWO_RED = replace(ex.red(), runs=(*ex.red().runs, replace(ex.red().runs[0], name="lint")))
WORDS: list[tuple[dict[str, Any], float, Status, str]] = [
    ({"wanted": stopped(StopReason.FAILED)}, 0, Status.ERRORED, "errored by ada"),
    ({"wanted": replace(stopped(StopReason.MERGED), words="so")}, 0, Status.MERGED, "so"),
    ({"wanted": replace(stopped(StopReason.KILLED), reason=None)}, 0, Status.KILLED, "killed by ada"),
    (
        {"wanted": stopped(StopReason.KILLED), "ending": Ending(reason="device is busy")},
        0,
        Status.KILLED,
        f"killed by ada; {WAITS}",
    ),
    ({"changes": (MERGED,)}, 0, Status.MERGED, "#7 is in main"),
    (merging(head=ex.HEAD, by="ada"), 0, Status.MERGING, "ada merges aaaaaaaaaaaa"),
    (merging(), 0, Status.MERGING, "a rule merges "),
    (
        merging(head=ex.HEAD, by="ada", begun="yes", taken_back="bo"),
        0,
        Status.MERGING,
        "bo took the merge of aaaaaaaaaaaa back; whether it came through is looked up",
    ),
    ({"wanted": PAUSED}, 0, Status.PAUSED, "paused by ada"),
    ({"wanted": replace(PAUSED, words="lunch")}, 0, Status.PAUSED, "lunch"),
    ({"setup": Setup(step=SetupStep.QUEUED, at=ex.NOW)}, 0, Status.QUEUED, "waits for its turn"),
    ({"setup": Setup(step=SetupStep.QUEUED, at=ex.NOW, reason="full")}, 0, Status.QUEUED, "full"),
    ({"setup": Setup(step=SetupStep.STARTING, at=ex.NOW)}, 0, Status.SPAWNING, "step starting"),
    ({"setup": Setup(step=SetupStep.STARTING, at=ex.NOW, reason="again")}, 0, Status.SPAWNING, "again"),
    ({"setup": Setup(step=SetupStep.FAILED, at=ex.NOW)}, 0, Status.ERRORED, "it could not be set up"),
    ({"setup": Setup(step=SetupStep.FAILED, at=ex.NOW, reason="no")}, 0, Status.ERRORED, "no"),
    ({"runtime": DOUBT}, 300, Status.DETECTING, "no answer"),
    ({"runtime": DOUBT}, 301, Status.STUCK, "nobody could tell for 5 min whether it lives: no answer"),
    (
        {"runtime": replace(DOUBT, doubt_since=ex.NOW - 200)},
        101,
        Status.STUCK,
        "nobody could tell for 5 min whether it lives: no answer",
    ),
    ({"runtime": gone(0)}, 0, Status.DONE, "the agent finished and exited"),
    (
        {"runtime": gone(3), **does(ActivityState.EXITED, reported_done=True)},
        0,
        Status.DONE,
        "the agent finished and exited",
    ),
    ({"runtime": gone(3)}, 0, Status.ERRORED, "gone"),
    ({"runtime": gone(0, RuntimeState.MISSING)}, 0, Status.ERRORED, "gone"),
    ({"questions": (QUESTION,)}, 0, Status.WAITING_INPUT, "w" * 200),
    (does(ActivityState.ASKING), 0, Status.WAITING_INPUT, "the agent waits for a person"),
    (seen_on_screen(ActivityState.ASKING), 0, Status.WAITING_INPUT, "screen shows 'y/n'"),
    (does(ActivityState.PERMISSION, ""), 0, Status.WAITING_INPUT, "the agent waits for a person"),
    (does(ActivityState.LIMITED), 0, Status.LIMITED, "the model's provider makes it wait"),
    (does(ActivityState.LIMITED, ""), 0, Status.LIMITED, "the model's provider makes it wait"),
    (does(ActivityState.BLOCKED), 0, Status.STUCK, "the agent cannot go on by itself"),
    (does(ActivityState.BLOCKED, ""), 0, Status.STUCK, "the agent cannot go on by itself"),
    (does(ActivityState.BUSY), 600, Status.WORKING, "the agent works on what it was told"),
    (does(ActivityState.BUSY), 601, Status.STUCK, "no sign of progress for 10 min while it should work"),
    (does(ActivityState.STARTING), 601, Status.STUCK, "no sign of progress for 10 min while it should work"),
    (stays(CONFLICT), 600, Status.CONFLICTED, "#7 conflicts with main"),
    (stays(ex.change(TWO_RED)), 0, Status.CI_FAILED, "checks failed at aaaaaaaaaaaa: tests, lint"),
    (stays(ASKED), 0, Status.CHANGES_REQUESTED, "changes are asked for on #7"),
    (
        stays(ASKED),
        601,
        Status.STUCK,
        "changes are asked for on #7, and the agent has done nothing for 10 min",
    ),
    (stays(ASKED, ActivityState.EXITED), 601, Status.CHANGES_REQUESTED, "changes are asked for on #7"),
    (stays(replace(ASKED, since=ex.NOW + 100)), 601, Status.CHANGES_REQUESTED, "changes are asked for on #7"),
    (stays(ex.change(approvals=APPROVED)), 0, Status.MERGEABLE, "#7 at aaaaaaaaaaaa can be merged"),
    (stays(ex.change()), 0, Status.REVIEW_PENDING, "0 of 1 approvals at aaaaaaaaaaaa"),
    (
        {**stays(ex.change(approvals=APPROVED)), "hold": ex.ADA},
        0,
        Status.APPROVED,
        "ada holds it",
    ),
    (
        {**stays(ex.change(ex.pull_request(checks=Checks.PENDING))), "hold": ex.ADA},
        0,
        Status.PR_OPEN,
        "#7 at aaaaaaaaaaaa: checks run; 0 of 1 approvals at aaaaaaaaaaaa; ada holds it",
    ),
    (stays(CLOSED), 0, Status.IDLE, "#7 was closed without a merge"),
    (does(ActivityState.IDLE, reported_done=True), 0, Status.DONE, "the agent says that it is done"),
    (does(ActivityState.IDLE), 0, Status.IDLE, "its turn is over and no pull request is open"),
    (does(ActivityState.UNKNOWN, ""), 0, Status.WORKING, "no source says what the agent does"),
]


@pytest.mark.parametrize(("facts", "after", "expected", "reason"), WORDS, ids=range(len(WORDS)))
def test_reason_says_why_in_these_words(
    facts: dict[str, Any], after: float, expected: Status, reason: str
) -> None:
    line = status.derive(ex.session(**facts), RULES, ex.NOW + after)
    assert (line.status, line.reason) == (expected, reason)


def test_message_to_the_agent_is_a_sign_that_somebody_does_something() -> None:
    told = Message(number=1, text="x", by="ada", at=ex.NOW, stage_at=ex.NOW + 500)
    waiting = ex.session(work=IDLE, changes=(ASKED,), messages=(told,))
    assert of(waiting, 1100) is Status.CHANGES_REQUESTED
    assert of(waiting, 1101) is Status.STUCK


def test_green_pull_request_of_a_dead_agent_waits_only_where_no_agent_is_needed() -> None:
    dead = ex.session(work=IDLE, runtime=gone(1))
    for seen, expected in (
        (CONFLICT, Status.ERRORED),
        (ASKED, Status.ERRORED),
        (ex.change(ex.pull_request(state=PullRequestState.DRAFT)), Status.ERRORED),
        (ex.change(ex.pull_request(checks=Checks.PENDING)), Status.ERRORED),
        (ex.change(approvals=APPROVED), Status.MERGEABLE),
    ):
        assert of(replace(dead, changes=(seen,))) is expected


def test_since_is_kept_while_the_status_is_the_same() -> None:
    first = status.derive(ex.session(work=IDLE), RULES, ex.NOW)
    assert first.since == ex.NOW
    later = status.derive(ex.session(work=IDLE, status=first), RULES, ex.NOW + 9)
    assert later.since == ex.NOW


def test_evidence_names_what_the_statement_rests_on() -> None:
    work = Work(
        activity=ex.activity(ActivityState.BUSY, tool="Bash: make"),
        at=ex.NOW,
        progress_at=ex.NOW,
        disagreement="title says idle",
    )
    line = status.derive(ex.session(work=work, changes=(ex.change(ex.red()),)), RULES, ex.NOW)
    assert line.evidence == (
        "its terminal runs; the agent works, by its own signal; runs Bash: make; title says idle; "
        "#7 open at aaaaaaaaaaaa, checks failing"
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (7199, "119 min"), (7200, "2 h"), (90_000, "25 h")],
)
def test_spans_are_read_at_a_glance(seconds: float, words: str) -> None:
    rules = replace(RULES, stuck_after=seconds)
    line = status.derive(ex.session(work=BUSY), rules, ex.NOW + seconds + 1)
    assert line.reason == f"no sign of progress for {words} while it should work"
