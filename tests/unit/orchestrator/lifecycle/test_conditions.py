"""What a reaction can answer to: its fingerprint, since when, and what the agent is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.activity import ActivityState
from orchestrator.domain.message import Message, MessageStage
from orchestrator.domain.pull_request import (
    CheckRun,
    Checks,
    CheckState,
    Mergeable,
    PullRequest,
    PullRequestState,
    Review,
    ReviewComment,
    ReviewDecision,
)
from orchestrator.domain.session import Change, Session, Work
from orchestrator.lifecycle import briefing
from orchestrator.lifecycle.conditions import CONDITIONS, Condition, settled
from orchestrator.testing import examples as ex

IDLE = Work(activity=ex.activity(ActivityState.IDLE), at=ex.NOW, progress_at=ex.NOW - 9)
HUMAN = ReviewComment(id="c1", author="bo", body="rename", path="a.py", line=3)
BOT = replace(HUMAN, id="c2", author="lint", is_bot=True)
DEMAND = Review(author="bo", decision=ReviewDecision.CHANGES_REQUESTED, head=ex.HEAD, at=ex.NOW, body="no")


def of(key: str, pr: PullRequest | None = None, **fields: object) -> Condition | None:
    found = CONDITIONS[key](ex.session(changes=(change(pr),) if pr else (), **fields))
    assert found is None or found.key == key
    return found


def change(pr: PullRequest) -> Change:
    return ex.change(pr, since=ex.NOW - 5)


def pull(**fields: object) -> PullRequest:
    return ex.pull_request(**{"decision": ReviewDecision.NONE, **fields})


OVER = [PullRequestState.MERGED, PullRequestState.CLOSED]


def test_failed_checks_are_the_head_and_its_failing_runs() -> None:
    passed = CheckRun(name="lint", state=CheckState.PASSED)
    pr = replace(ex.red(), runs=(*ex.red().runs, passed))
    details = briefing.checks(7, ex.HEAD, ex.red().runs)
    assert of("ci-failed", pr) == Condition(
        key="ci-failed",
        fingerprint=ex.HEAD,
        since=ex.NOW - 5,
        words=f"checks failed at {ex.HEAD[:12]}",
        details=details,
        once=True,
    )
    assert of("ci-failed", pull(checks=Checks.PENDING)) is None
    assert of("ci-failed") is None


def test_review_is_its_open_comments_and_demands_with_their_texts() -> None:
    pr = pull(
        decision=ReviewDecision.CHANGES_REQUESTED,
        comments=(HUMAN, BOT, replace(HUMAN, id="c3", resolved=True)),
        reviews=(DEMAND, replace(DEMAND, body=""), replace(DEMAND, decision=ReviewDecision.APPROVED)),
    )
    found = of("changes-requested", pr)
    assert found is not None
    demands = (briefing.Demand(author="bo", body="no", at=ex.NOW),)
    assert (found.since, found.details) == (ex.NOW - 5, briefing.review(7, demands, (HUMAN,)))


def test_thread_of_a_comment_is_named_so_that_it_can_be_resolved() -> None:
    hostile = replace(HUMAN, id="c2", thread="x`; rm -rf ~")
    text = briefing.review(7, (), (replace(HUMAN, thread="PRRT_kwDO1"), hostile))
    assert ", thread PRRT_kwDO1:" in text
    assert "rm -rf" not in text
    assert "ao pr resolve THREAD" in text
    assert "ao pr resolve" not in briefing.review(7, (), (HUMAN, hostile))


@pytest.mark.parametrize(
    "other",
    [
        {"comments": (replace(HUMAN, body="rename it"),)},
        {"comments": (replace(HUMAN, id="c9"),)},
        {"comments": (HUMAN, replace(HUMAN, id="c9"))},
        {"reviews": (replace(DEMAND, body="never"),)},
        {"reviews": (replace(DEMAND, author="al"),)},
        {"reviews": (replace(DEMAND, at=ex.NOW + 1),)},
        {"reviews": ()},
    ],
)
def test_review_that_changed_has_another_fingerprint(other: dict[str, object]) -> None:
    first = pull(comments=(HUMAN,), reviews=(DEMAND,))
    before, after = of("changes-requested", first), of("changes-requested", replace(first, **other))  # type: ignore[arg-type]
    assert before is not None
    assert after is not None
    assert before.fingerprint != after.fingerprint


def test_order_of_comments_and_bots_do_not_matter_to_a_review() -> None:
    second = replace(HUMAN, id="c9")
    one, other = pull(comments=(HUMAN, second)), pull(comments=(second, BOT, HUMAN))
    first, again = of("changes-requested", one), of("changes-requested", other)
    assert first is not None
    assert again is not None
    assert first.fingerprint == again.fingerprint


def test_review_needs_a_verdict_or_a_comment_of_a_person() -> None:
    assert of("changes-requested", pull(decision=ReviewDecision.CHANGES_REQUESTED)) is not None
    assert of("changes-requested", pull(comments=(HUMAN,))) is not None
    assert of("changes-requested", pull(comments=(BOT,))) is None
    assert of("changes-requested", pull(comments=(replace(HUMAN, resolved=True),))) is None
    assert of("changes-requested") is None


def test_comments_of_bots_have_a_condition_of_their_own() -> None:
    found = of("bugbot-comments", pull(comments=(HUMAN, BOT)))
    assert found is not None
    assert (found.since, found.details) == (ex.NOW - 5, briefing.review(7, (), (BOT,)))
    edited = of("bugbot-comments", pull(comments=(replace(BOT, body="x"),)))
    more = of("bugbot-comments", pull(comments=(BOT, replace(BOT, id="c0"))))
    swapped = of("bugbot-comments", pull(comments=(replace(BOT, id="c0"), BOT)))
    assert edited is not None
    assert more is not None
    assert swapped is not None
    assert len({found.fingerprint, edited.fingerprint, more.fingerprint}) == 3
    assert more.fingerprint == swapped.fingerprint
    assert of("bugbot-comments", pull(comments=(HUMAN,))) is None
    assert of("bugbot-comments") is None


def test_conflict_is_the_head() -> None:
    pr = pull(mergeable=Mergeable.CONFLICTED)
    assert of("merge-conflicts", pr, base_source="/m refs/ao/base/main") == Condition(
        key="merge-conflicts",
        fingerprint=ex.HEAD,
        since=ex.NOW - 5,
        words="#7 conflicts with main",
        details=briefing.conflict(pr, "/m refs/ao/base/main"),
    )
    assert of("merge-conflicts", pull(mergeable=Mergeable.UNKNOWN)) is None
    assert of("merge-conflicts") is None


def test_idle_agent_without_a_pull_request_is_its_turn() -> None:
    found = of("agent-idle", work=IDLE, local_head=ex.HEAD)
    assert found == Condition(
        key="agent-idle",
        fingerprint=f"turn 0 at {ex.HEAD[:10]}",
        since=ex.NOW - 9,
        words="its turn is over and no pull request is open",
        details="",
    )
    assert of("agent-idle", pull(), work=IDLE) is None
    assert of("agent-idle") is None
    assert of("agent-idle", work=replace(IDLE, reported_done=True)) is None
    assert of("agent-idle", work=replace(IDLE, reported="done")) is not None


def test_reviews_in_one_sentence_for_people() -> None:
    asked = of("changes-requested", pull(comments=(HUMAN,)))
    bots = of("bugbot-comments", pull(comments=(BOT,)))
    assert asked is not None
    assert bots is not None
    assert (asked.words, bots.words) == (
        "changes are asked for on #7",
        "automated comments were left on #7",
    )


def test_turn_of_an_idle_agent_is_the_last_message_that_it_answered() -> None:
    done = Message(number=3, text="x", by="ada", at=ex.NOW, stage=MessageStage.ANSWERED)
    queued, failed = replace(done, number=4, stage=MessageStage.RECEIVED), replace(done, number=5)
    failed = replace(failed, stage=MessageStage.FAILED)
    found = of("agent-idle", work=IDLE, messages=(replace(done, number=2), done, queued, failed))
    assert found is not None
    assert found.fingerprint == "turn 3 at "


@pytest.mark.parametrize("state", OVER)
@pytest.mark.parametrize("key", ["ci-failed", "changes-requested", "bugbot-comments", "merge-conflicts"])
def test_pull_request_that_is_over_has_no_condition_and_is_settled(key: str, state: PullRequestState) -> None:
    pr = replace(
        ex.red(),
        state=state,
        mergeable=Mergeable.CONFLICTED,
        decision=ReviewDecision.CHANGES_REQUESTED,
        comments=(HUMAN, BOT),
    )
    assert of(key, pr) is None
    assert settled(key, ex.session(changes=(ex.change(pr, red_heads=(ex.HEAD,)),)))


def with_pull(red_heads: tuple[str, ...] = (), **fields: object) -> Session:
    return ex.session(work=IDLE, changes=(ex.change(pull(**fields), red_heads=red_heads),))


@pytest.mark.parametrize(
    ("key", "session", "over"),
    [
        ("ci-failed", with_pull(), True),
        ("ci-failed", with_pull((ex.HEAD,)), False),
        ("merge-conflicts", with_pull(mergeable=Mergeable.CLEAN), True),
        ("merge-conflicts", with_pull(mergeable=Mergeable.UNKNOWN), False),
        ("merge-conflicts", with_pull(mergeable=Mergeable.BLOCKED), False),
        ("changes-requested", with_pull(), True),
        ("changes-requested", with_pull(decision=ReviewDecision.APPROVED), True),
        ("changes-requested", with_pull(decision=ReviewDecision.PENDING), False),
        ("changes-requested", with_pull(decision=ReviewDecision.CHANGES_REQUESTED), False),
        ("changes-requested", with_pull(comments=(HUMAN,)), False),
        ("changes-requested", with_pull(comments=(BOT,)), True),
        ("bugbot-comments", with_pull(comments=(HUMAN,)), True),
        ("bugbot-comments", with_pull(comments=(BOT,)), False),
        ("agent-idle", with_pull(), True),
        ("agent-idle", ex.session(work=IDLE), False),
        ("agent-idle", ex.session(), False),
        ("agent-idle", ex.session(work=replace(IDLE, reported_done=True)), True),
        ("ci-failed", ex.session(work=IDLE), True),
    ],
)
def test_trouble_is_over_only_when_it_really_is(key: str, session: Session, over: bool) -> None:
    assert settled(key, session) is over
