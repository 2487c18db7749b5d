"""What the rules do by themselves, how often, and when people are told."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.domain.activity import ActivityState
from orchestrator.domain.event import Level
from orchestrator.domain.look import Seen
from orchestrator.domain.message import MessageStage
from orchestrator.domain.pull_request import (
    Checks,
    Mergeable,
    PullRequest,
    PullRequestState,
    Review,
    ReviewComment,
    ReviewDecision,
)
from orchestrator.domain.rules import Rules
from orchestrator.domain.session import (
    Approval,
    Session,
    Setup,
    SetupStep,
    StopReason,
    WantedState,
    Work,
)
from orchestrator.domain.status import Status
from orchestrator.lifecycle import react, transitions
from orchestrator.lifecycle.changes import decide_change
from orchestrator.lifecycle.draft import Draft
from orchestrator.testing import examples as ex

CI = ex.rules(ex.reaction("ci-failed", retries=2, escalate_after_count=2))
IDLE = Work(activity=ex.activity(ActivityState.IDLE), at=ex.NOW, progress_at=ex.NOW)


def step(session: Session, rules: Rules, *, see: PullRequest | None = None, after: float = 0.0) -> Draft:
    draft = Draft(session, ex.NOW + after)
    if see is not None:
        decide_change(draft, Seen(see))
    transitions.settle(draft, rules)
    react.react(draft, rules)
    transitions.settle(draft, rules)
    return draft


def types(draft: Draft) -> list[str]:
    return [event.type for event in draft.events]


def answered(session: Session) -> Session:
    done = tuple(replace(m, stage=MessageStage.ANSWERED) for m in session.messages)
    return replace(session, messages=done)


def test_failing_lines_go_to_the_agent_once_for_each_head() -> None:
    first = step(ex.session(work=IDLE), CI, see=ex.red(tail="E  assert add(1, 1) == 3"))
    assert len(first.session.messages) == 1
    assert "assert add(1, 1) == 3" in first.session.messages[0].text
    again = step(first.session, CI, see=ex.red(), after=60)
    assert len(again.session.messages) == 1


def test_count_survives_pending_checks_and_ends_in_an_escalation() -> None:
    session = ex.session(work=IDLE)
    escalated = []
    for number, head in enumerate(("1" * 40, "2" * 40, "3" * 40)):
        session = answered(
            step(session, CI, see=ex.pull_request(head=head, checks=Checks.PENDING), after=number).session
        )
        draft = step(session, CI, see=ex.red(head), after=number)
        escalated.append("reaction.escalated" in types(draft))
        session = answered(draft.session)
    assert escalated == [False, False, True]
    assert len(session.messages) == 2
    assert session.changes[0].red_heads == ("1" * 40, "2" * 40, "3" * 40)


def test_escalation_of_what_goes_to_the_agent_is_urgent() -> None:
    rules = ex.rules(ex.reaction("ci-failed", retries=0))
    draft = step(ex.session(work=IDLE), rules, see=ex.red())
    escalation = next(e for e in draft.events if e.type == "reaction.escalated")
    assert escalation.level is Level.URGENT
    assert draft.session.messages == ()


def test_green_head_clears_the_count() -> None:
    red = answered(step(ex.session(work=IDLE), CI, see=ex.red()).session)
    green = step(red, CI, see=ex.pull_request(head=ex.OTHER_HEAD))
    assert green.session.attempts[0].count == 0
    third = step(green.session, CI, see=ex.red(ex.THIRD_HEAD))
    assert third.session.attempts[0].count == 1


def test_the_head_that_was_red_before_a_pending_look_is_not_sent_twice() -> None:
    red = answered(step(ex.session(work=IDLE), CI, see=ex.red()).session)
    pending = step(red, CI, see=ex.pull_request(checks=Checks.PENDING)).session
    assert len(step(pending, CI, see=ex.red()).session.messages) == 1


def test_head_that_turned_green_and_red_again_is_not_sent_twice() -> None:
    session = answered(step(ex.session(work=IDLE), CI, see=ex.red()).session)
    session = step(session, CI, see=ex.pull_request()).session
    again = step(session, CI, see=ex.red(), after=60)
    assert len(again.session.messages) == 1
    assert "reaction.escalated" not in types(again)
    other = step(again.session, CI, see=ex.red(ex.OTHER_HEAD), after=90).session
    assert [m.key for m in other.messages] == [f"ci-failed:{ex.HEAD}", f"ci-failed:{ex.OTHER_HEAD}"]
    back = step(answered(other), CI, see=ex.red(), after=99)
    assert len(back.session.messages) == 2
    assert "reaction.escalated" in types(back)  # three red heads in a row, whichever they are


def test_head_whose_message_was_overtaken_before_it_was_typed_was_not_sent() -> None:
    red = step(ex.session(work=IDLE), CI, see=ex.red()).session
    green = step(red, CI, see=ex.pull_request()).session
    again = step(green, CI, see=ex.red()).session
    assert [m.stage for m in again.messages] == [MessageStage.FAILED, MessageStage.RECEIVED]


def test_retry_after_a_message_that_failed_waits_for_the_new_one() -> None:
    """The old message stays failed in the list; what counts is the newest."""
    session = step(ex.session(work=IDLE), CI, see=ex.red()).session
    failed = replace(session.messages[0], stage=MessageStage.FAILED, reason="no terminal")
    retried = step(replace(session, messages=(failed,), attempts=()), CI, after=5)
    assert len(retried.session.messages) == 2
    assert "reaction.escalated" not in types(step(retried.session, CI, after=9))
    lost = replace(retried.session.messages[1], stage=MessageStage.FAILED, reason="again")
    assert "reaction.escalated" in types(
        step(replace(retried.session, messages=(failed, lost)), CI, after=12)
    )


def test_message_that_cannot_arrive_escalates() -> None:
    draft = step(ex.session(work=IDLE), CI, see=ex.red())
    failed = replace(draft.session.messages[0], stage=MessageStage.FAILED, reason="no terminal")
    later = step(replace(draft.session, messages=(failed,)), CI, see=ex.red(), after=5)
    assert "reaction.escalated" in types(later)
    assert types(step(later.session, CI, see=ex.red(), after=9)).count("reaction.escalated") == 0


def test_duration_escalates_without_a_new_trigger() -> None:
    rules = ex.rules(ex.reaction("merge-conflicts", escalate_after=900.0))
    conflicted = ex.pull_request(mergeable=Mergeable.CONFLICTED)
    first = step(ex.session(work=IDLE), rules, see=conflicted)
    assert len(first.session.messages) == 1
    assert "reaction.escalated" not in types(step(first.session, rules, after=899))
    assert "reaction.escalated" in types(step(first.session, rules, after=900))


def test_conflict_whose_mergeability_is_being_worked_out_is_not_over() -> None:
    rules = ex.rules(ex.reaction("merge-conflicts", escalate_after=900.0))
    first = step(ex.session(work=IDLE), rules, see=ex.pull_request(mergeable=Mergeable.CONFLICTED))
    unknown = step(first.session, rules, see=ex.pull_request(mergeable=Mergeable.UNKNOWN))
    assert unknown.session.attempts
    clean = step(unknown.session, rules, see=ex.pull_request(mergeable=Mergeable.CLEAN))
    assert clean.session.attempts == ()


COMMENT = ReviewComment(
    id="c1", author="bo", body="rename this", path="a.py", line=3, url="https://forge.example/c1"
)


def reviewed(*comments: ReviewComment) -> PullRequest:
    review = Review(
        author="bo", decision=ReviewDecision.CHANGES_REQUESTED, head=ex.HEAD, at=ex.NOW, body="not yet"
    )
    return ex.pull_request(decision=ReviewDecision.CHANGES_REQUESTED, comments=comments, reviews=(review,))


def test_review_comments_arrive_in_full() -> None:
    rules = ex.rules(ex.reaction("changes-requested"))
    text = step(ex.session(work=IDLE), rules, see=reviewed(COMMENT)).session.messages[0].text
    for part in ("a.py:3", "bo", "rename this", "https://forge.example/c1", "not yet"):
        assert part in text


def test_edited_comment_is_sent_again() -> None:
    rules = ex.rules(ex.reaction("changes-requested"))
    first = answered(step(ex.session(work=IDLE), rules, see=reviewed(COMMENT)).session)
    same = step(first, rules, see=reviewed(COMMENT))
    assert len(same.session.messages) == 1
    edited = step(first, rules, see=reviewed(replace(COMMENT, body="rename that")))
    assert len(edited.session.messages) == 2


def test_bots_and_people_have_their_own_reactions() -> None:
    rules = ex.rules(ex.reaction("changes-requested"), ex.reaction("bugbot-comments"))
    bot = replace(COMMENT, id="c2", author="lint", is_bot=True)
    draft = step(ex.session(work=IDLE), rules, see=ex.pull_request(comments=(bot,)))
    assert [m.by for m in draft.session.messages] == ["reaction bugbot-comments"]


def test_queued_message_is_withdrawn_when_the_checks_turned_green() -> None:
    red = step(ex.session(work=IDLE), CI, see=ex.red()).session
    green = step(red, CI, see=ex.pull_request(head=ex.OTHER_HEAD))
    assert green.session.messages[0].stage is MessageStage.FAILED
    assert "overtaken" in green.session.messages[0].reason


def test_reaction_that_is_off_sends_nothing_and_escalates_nothing() -> None:
    rules = ex.rules(ex.reaction("ci-failed", auto=False, retries=0, escalate_after=60.0))
    off = step(ex.session(work=IDLE), rules, see=ex.red())
    assert off.session.messages == ()
    for draft in (off, step(off.session, rules, after=61)):
        assert "reaction.escalated" not in types(draft)


def test_threshold_waits() -> None:
    rules = ex.rules(ex.reaction("ci-failed", threshold=30.0))
    first = step(ex.session(work=IDLE), rules, see=ex.red())
    assert first.session.messages == ()
    assert step(first.session, rules, after=29).session.messages == ()
    assert len(step(first.session, rules, after=30).session.messages) == 1


MERGE = ex.rules(ex.reaction("approved-and-green", action="auto-merge"), approvals=1)


def ready(head: str = ex.HEAD) -> Session:
    change = ex.change(ex.pull_request(head=head), approvals=(Approval(by=ex.ADA, head=head, at=ex.NOW),))
    return ex.session(work=IDLE, changes=(change,))


def test_auto_merge_asks_for_a_merge_of_the_head_once() -> None:
    draft = step(ready(), MERGE)
    assert [(i.key, i.data["head"]) for i in draft.session.intents] == [("merge", ex.HEAD)]
    refused = replace(draft.session, intents=())
    assert step(refused, MERGE).session.intents == ()


def test_auto_merge_off_or_held_does_not_merge() -> None:
    off = ex.rules(ex.reaction("approved-and-green", action="auto-merge", auto=False))
    assert step(ready(), off).session.intents == ()
    assert step(replace(ready(), hold=ex.ADA), MERGE).session.intents == ()


def test_merged_session_is_cleaned_up_and_waits_for_a_busy_agent_only_so_long() -> None:
    merged = ex.change(ex.pull_request(state=PullRequestState.MERGED))
    idle = step(ex.session(work=IDLE, changes=(merged,)), ex.rules())
    assert idle.session.wanted.reason is StopReason.MERGED
    busy = ex.session(changes=(merged,))
    grace = ex.rules().cleanup_grace
    assert step(busy, ex.rules(), after=grace - 1).session.wanted.state is WantedState.RUN
    assert step(busy, ex.rules(), after=grace).session.wanted.state is WantedState.STOP


def test_cleanup_after_merge_can_be_off() -> None:
    merged = ex.change(ex.pull_request(state=PullRequestState.MERGED))
    kept = step(ex.session(work=IDLE, changes=(merged,)), ex.rules(cleanup_on_merge=False))
    assert kept.session.wanted.state is WantedState.RUN


def test_failed_setup_is_kept_for_a_person() -> None:
    failed = ex.session(setup=Setup(step=SetupStep.FAILED, at=ex.NOW, reason="no such branch"))
    draft = step(replace(failed, status=replace(failed.status, status=Status.SPAWNING)), ex.rules())
    assert draft.session.wanted.state is WantedState.RUN
    assert draft.session.status.status is Status.ERRORED
    assert "no such branch" in draft.session.status.reason


def test_typing_that_a_crash_cut_off_fails_and_is_not_repeated() -> None:
    draft = Draft(ex.session(work=IDLE), ex.NOW)
    message = draft.enqueue("hello", by="ada")
    typing = replace(message, stage=MessageStage.TYPING, stage_at=ex.NOW)
    draft.put_message(typing)
    early = step(draft.session, ex.rules(), after=react.TYPING_LOST - 1)
    assert early.session.messages[0].stage is MessageStage.TYPING
    late = step(draft.session, ex.rules(), after=react.TYPING_LOST)
    assert late.session.messages[0].stage is MessageStage.FAILED
    assert "not typed again" in late.session.messages[0].reason
