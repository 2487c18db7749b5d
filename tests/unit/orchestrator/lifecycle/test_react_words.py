"""What reactions keep and tell, word for word; each alone, without the moves of the status round it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.activity import ActivityState
from orchestrator.domain.event import Level
from orchestrator.domain.message import Message, MessageStage
from orchestrator.domain.pull_request import Mergeable, PullRequestState, ReviewDecision
from orchestrator.domain.rules import Rules
from orchestrator.domain.session import (
    Attempt,
    Session,
    Setup,
    SetupStep,
    StopReason,
    Wanted,
    WantedState,
    Work,
)
from orchestrator.domain.status import Status
from orchestrator.lifecycle import briefing, delivery, react
from orchestrator.lifecycle.draft import Draft
from orchestrator.testing import examples as ex

CI = ex.rules(ex.reaction("ci-failed", retries=2, escalate_after_count=2))
MERGE = ex.rules(ex.reaction("approved-and-green", action="auto-merge"), approvals=1)
IDLE = Work(activity=ex.activity(ActivityState.IDLE), at=ex.NOW, progress_at=ex.NOW)
Told = tuple[str, str, Level, dict[str, object]]


def told(draft: Draft) -> list[Told]:
    return [(e.type, e.text, e.level, dict(e.data)) for e in draft.events]


def reacted(session: Session, rules: Rules, after: float = 0.0) -> Draft:
    draft = Draft(session, ex.NOW + after)
    react.react(draft, rules)
    return draft


RED = ex.session(work=IDLE, changes=(ex.change(ex.red(), red_heads=(ex.HEAD,)),))
ATTEMPT = Attempt(
    key="ci-failed", fingerprint=ex.HEAD, count=1, first_at=ex.NOW, last_at=ex.NOW, sent=(ex.HEAD,)
)


def answered(session: Session) -> Session:
    done = tuple(replace(m, stage=MessageStage.ANSWERED) for m in session.messages)
    return replace(session, messages=done)


def ready(head: str = ex.HEAD) -> Session:
    change = ex.change(ex.pull_request(head=head), approvals=(ex.approval(head),))
    return ex.session(work=IDLE, changes=(change,))


def test_attempt_is_counted_told_and_its_message_named_after_it() -> None:
    draft = reacted(RED, CI, after=5)
    (message,) = draft.session.messages
    key = f"ci-failed:{ex.HEAD}"
    assert (message.key, message.by) == (key, "reaction ci-failed")
    assert message.text == f"about ci-failed\n\n{briefing.checks(7, ex.HEAD, ex.red().runs)}"
    assert told(draft) == [
        (
            "message.received",
            "message 1 from reaction ci-failed is queued",
            Level.INFO,
            {"number": 1, "key": key},
        ),
        (
            "reaction.sent",
            "ci-failed: attempt 1, the agent is told",
            Level.INFO,
            {"reaction": "ci-failed", "attempt": 1, "fingerprint": ex.HEAD},
        ),
    ]
    assert draft.session.attempts == (replace(ATTEMPT, first_at=ex.NOW + 5, last_at=ex.NOW + 5),)


OFF = ex.rules(ex.reaction("ci-failed", auto=False, priority=Level.ACTION, retries=0))


def test_what_waits_for_a_person_is_told_once_with_the_command_and_not_counted() -> None:
    first = reacted(RED, OFF, after=5)
    words = f"checks failed at {ex.HEAD[:12]}; `ao retry demo-1 --send` tells the agent"
    data = {
        "reaction": "ci-failed",
        "fingerprint": ex.HEAD,
        "head": ex.HEAD,
        "url": "https://forge.example/7",
    }
    assert told(first) == [("reaction.waits", words, Level.ACTION, data)]
    waiting = replace(ATTEMPT, count=0, first_at=ex.NOW + 5, last_at=ex.NOW + 5, sent=())
    assert first.session.attempts == (waiting,)
    assert reacted(first.session, OFF, after=99).events == []
    other = ex.change(ex.red(ex.OTHER_HEAD), red_heads=(ex.HEAD, ex.OTHER_HEAD))
    again = reacted(replace(first.session, changes=(other,)), OFF, after=100)
    assert [e.type for e in again.events] == ["reaction.waits"]
    assert again.session.attempts[0].count == 0


def test_idle_agent_that_waits_has_no_head_to_show() -> None:
    off = ex.rules(ex.reaction("agent-idle", auto=False))
    assert [dict(e.data) for e in reacted(ex.session(work=IDLE), off).events] == [
        {"reaction": "agent-idle", "fingerprint": "turn 0 at "}
    ]


def test_rule_that_is_turned_on_sends_what_waited_and_counts_from_then() -> None:
    waiting = reacted(RED, OFF).session
    sent = reacted(waiting, CI, after=50)
    assert [m.key for m in sent.session.messages] == [f"ci-failed:{ex.HEAD}"]
    assert sent.session.attempts == (replace(ATTEMPT, first_at=ex.NOW + 50, last_at=ex.NOW + 50),)
    assert reacted(sent.session, OFF, after=60).events == []


def test_leave_of_a_person_sends_what_waits_and_nothing_else() -> None:
    rules = ex.rules(
        ex.reaction("ci-failed", auto=False),
        ex.reaction("merge-conflicts"),
        ex.reaction("changes-requested", auto=False, action="notify"),
        ex.reaction("bugbot-comments", auto=False),
    )
    pr = replace(ex.red(), mergeable=Mergeable.CONFLICTED, decision=ReviewDecision.CHANGES_REQUESTED)
    draft = Draft(replace(RED, changes=(ex.change(pr),)), ex.NOW + 4)
    assert react.send_waiting(draft, rules) == 1
    assert [m.key for m in draft.session.messages] == [f"ci-failed:{ex.HEAD}"]
    assert draft.session.attempts == (replace(ATTEMPT, first_at=ex.NOW + 4, last_at=ex.NOW + 4),)
    assert told(draft)[-1][1] == "ci-failed: attempt 1, the agent is told"
    assert react.send_waiting(draft, rules) == 1
    assert len(draft.session.messages) == 1
    assert react.send_waiting(Draft(ex.session(work=IDLE), ex.NOW), rules) == 0


def test_what_was_told_of_a_head_is_kept_when_it_is_green_and_nothing_else_is() -> None:
    tried = replace(ATTEMPT, count=2, escalated_at=ex.NOW, sent=("c", ex.HEAD))
    other = replace(ATTEMPT, key="merge-conflicts", sent=())
    green = replace(RED, changes=(ex.change(),), attempts=(tried, other))
    rules = ex.rules(ex.reaction("ci-failed"), ex.reaction("merge-conflicts"))
    after = reacted(green, rules, after=3).session
    assert after.attempts == (replace(tried, fingerprint="", count=0, escalated_at=None),)
    assert reacted(replace(after, attempts=(*after.attempts, other)), CI).session.attempts[1] == other
    waits = reacted(replace(RED, attempts=after.attempts), OFF, after=9).session.attempts
    assert [(a.count, a.sent) for a in waits] == [(0, ("c", ex.HEAD))]


def test_only_the_overtaken_head_counts_as_not_sent() -> None:
    sent = Message(number=1, text="x", by="r", at=ex.NOW, stage=MessageStage.ANSWERED, key="ci-failed:c")
    waits = replace(sent, number=2, stage=MessageStage.RECEIVED, key=f"ci-failed:{ex.OTHER_HEAD}")
    tried = replace(ATTEMPT, fingerprint=ex.OTHER_HEAD, sent=("c", ex.OTHER_HEAD))
    after = reacted(replace(RED, messages=(sent, waits), attempts=(tried,)), CI).session
    assert after.attempts[0].sent == ("c", ex.HEAD)


def test_next_attempt_keeps_when_the_trouble_began_and_that_people_were_told() -> None:
    before = replace(ATTEMPT, fingerprint=ex.OTHER_HEAD, escalated_at=ex.NOW + 1, sent=("c", ex.OTHER_HEAD))
    other = replace(ATTEMPT, key="merge-conflicts", fingerprint="x")
    draft = reacted(replace(RED, attempts=(before, other)), ex.rules(ex.reaction("ci-failed")), after=9)
    heads = ("c", ex.OTHER_HEAD, ex.HEAD)
    mine = replace(ATTEMPT, count=2, last_at=ex.NOW + 9, escalated_at=ex.NOW + 1, sent=heads)
    assert draft.session.attempts == (other, mine)


def test_message_without_words_of_the_rule_has_the_particulars_alone() -> None:
    draft = reacted(RED, ex.rules(ex.reaction("ci-failed", message="")))
    assert draft.session.messages[0].text == briefing.checks(7, ex.HEAD, ex.red().runs)


@pytest.mark.parametrize(
    ("limits", "sent"),
    [
        ({"retries": 1}, 1),
        ({"escalate_after_count": 2}, 2),
        ({"retries": 3, "escalate_after_count": 1}, 1),
        ({"retries": 1, "escalate_after_count": 3}, 1),
        ({}, 4),
    ],
)
def test_whichever_limit_comes_first_ends_the_attempts(limits: dict[str, int], sent: int) -> None:
    rules, session, heads = ex.rules(ex.reaction("ci-failed", **limits)), RED, "abcd"
    escalations: list[Told] = []
    for head in heads:
        change = ex.change(ex.red(head * 40), red_heads=(head * 40,))
        draft = reacted(answered(replace(session, changes=(change,))), rules)
        escalations += [event for event in told(draft) if event[0] == "reaction.escalated"]
        session = draft.session
    assert len(session.messages) == sent
    assert session.attempts[0].count == 4
    if limits:
        words = f"ci-failed needs a person: tried {sent} times"
        data = {"reaction": "ci-failed", "attempt": sent + 1, "fingerprint": heads[sent] * 40}
        assert escalations == [("reaction.escalated", words, Level.URGENT, data)]
    else:
        assert escalations == []


def test_escalation_of_a_rule_that_only_notifies_has_the_rules_own_level() -> None:
    rules = ex.rules(ex.reaction("ci-failed", action="notify", retries=0, priority=Level.ACTION))
    assert [(e.type, e.level) for e in reacted(RED, rules).events] == [("reaction.escalated", Level.ACTION)]


def test_time_escalates_once_in_minutes() -> None:
    rules = ex.rules(ex.reaction("ci-failed", escalate_after=1800.0))
    tried = replace(RED, attempts=(ATTEMPT,))
    assert reacted(tried, rules, after=1799).events == []
    late = reacted(tried, rules, after=1800)
    assert [e.text for e in late.events] == ["ci-failed needs a person: not settled for 30 min"]
    assert late.session.attempts[0].escalated_at == ex.NOW + 1800
    assert reacted(late.session, rules, after=9999).events == []


def test_only_its_own_failed_message_escalates() -> None:
    failed = Message(
        number=1,
        text="x",
        by="r",
        at=ex.NOW,
        stage=MessageStage.FAILED,
        key=f"ci-failed:{ex.HEAD}",
        reason="deaf",
    )
    rules = ex.rules(ex.reaction("ci-failed"))
    tried = replace(RED, attempts=(ATTEMPT,), messages=(failed,))
    assert [e.text for e in reacted(tried, rules).events] == [
        "ci-failed needs a person: the agent could not be told: deaf"
    ]
    other = replace(failed, key=f"ci-failed:{ex.OTHER_HEAD}")
    assert reacted(replace(tried, messages=(other,)), rules).events == []
    sent = replace(failed, stage=MessageStage.ANSWERED)
    assert reacted(replace(tried, messages=(sent,)), rules).events == []


def test_overtaken_message_is_named_and_those_under_way_or_of_others_stay() -> None:
    def about(number: int, key: str, stage: MessageStage = MessageStage.RECEIVED) -> Message:
        return Message(number=number, text="x", by="r", at=ex.NOW, stage=stage, key=key)

    stale = about(1, f"ci-failed:{ex.OTHER_HEAD}")
    rest = (
        about(2, f"ci-failed:{ex.HEAD}"),
        about(3, f"ci-failed:{ex.OTHER_HEAD}", MessageStage.TYPED),
        about(4, "changes-requested:x"),
        about(5, ""),
    )
    session = replace(RED, messages=(stale, *rest), attempts=(ATTEMPT,))
    draft = reacted(session, ex.rules(ex.reaction("ci-failed")), after=3)
    reason = "overtaken: what it was about is no longer so"
    assert draft.session.messages == (
        replace(stale, stage=MessageStage.FAILED, stage_at=ex.NOW + 3, reason=reason),
        *rest,
    )
    assert told(draft) == [("message.overtaken", f"message 1 is {reason}", Level.INFO, {"number": 1})]


def test_merge_by_rule_keeps_the_head_the_count_and_who() -> None:
    line = replace(ready().status, status=Status.MERGEABLE)
    draft = reacted(replace(ready(), status=line), MERGE, after=4)
    assert [(i.key, i.at, i.data) for i in draft.session.intents] == [
        ("merge", ex.NOW + 4, {"head": ex.HEAD, "by": "reaction approved-and-green"})
    ]
    words = f"reaction approved-and-green merges {ex.HEAD[:12]}"
    data = {"head": ex.HEAD, "by": "reaction approved-and-green"}
    assert told(draft) == [("merge.asked", words, Level.INFO, data)]
    first = Attempt(
        key="approved-and-green", fingerprint=ex.HEAD, count=1, first_at=ex.NOW + 4, last_at=ex.NOW + 4
    )
    assert draft.session.attempts == (first,)
    moved = replace(ready(ex.OTHER_HEAD), status=line, attempts=draft.session.attempts)
    second = reacted(moved, MERGE, after=9).session.attempts
    assert second == (replace(first, fingerprint=ex.OTHER_HEAD, count=2, last_at=ex.NOW + 9),)


def test_rule_that_only_notifies_never_merges() -> None:
    line = replace(ready().status, status=Status.MERGEABLE)
    notify = ex.rules(ex.reaction("approved-and-green", action="notify"))
    assert reacted(replace(ready(), status=line), notify).session.intents == ()


def test_end_by_a_rule_says_who_and_why() -> None:
    merged = ex.change(ex.pull_request(state=PullRequestState.MERGED))
    wanted = reacted(ex.session(work=IDLE, changes=(merged,)), ex.rules(), after=2).session.wanted
    assert (wanted.state, wanted.by.name, wanted.by.kind.value, wanted.at) == (
        WantedState.STOP, "ao", "rule", ex.NOW + 2,
    )  # fmt: skip
    assert (wanted.reason, wanted.words) == (StopReason.MERGED, "#7 is in main")


@pytest.mark.parametrize(
    ("stage", "tries", "age", "reason"),
    [
        (
            MessageStage.TYPING,
            1,
            react.TYPING_LOST,
            "we were interrupted while typing it, and the agent does not say that it has it; it was not typed again",
        ),
        (MessageStage.TYPING, 1, react.TYPING_LOST - 1, ""),
        (
            MessageStage.TYPED,
            delivery.TRIES,
            delivery.TYPED_WAIT,
            f"typed, and not confirmed by the agent after {delivery.TRIES} tries",
        ),
        (MessageStage.TYPED, delivery.TRIES, delivery.TYPED_WAIT - 1, ""),
        (MessageStage.TYPED, delivery.TRIES - 1, 10 * delivery.TYPED_WAIT, ""),
        (MessageStage.RECEIVED, delivery.TRIES, 10 * react.TYPING_LOST, ""),
        (MessageStage.ACCEPTED, delivery.TRIES, 10 * react.TYPING_LOST, ""),
    ],
)
def test_time_decides_messages_that_nobody_confirms(
    stage: MessageStage, tries: int, age: float, reason: str
) -> None:
    message = Message(number=1, text="x", by="ada", at=ex.NOW, stage=stage, stage_at=ex.NOW, tries=tries)
    (found,) = reacted(ex.session(work=IDLE, messages=(message,)), ex.rules(), after=age).session.messages
    expected = (MessageStage.FAILED, reason) if reason else (stage, "")
    assert (found.stage, found.reason) == expected


@pytest.mark.parametrize(
    "fields",
    [
        {"wanted": Wanted(state=WantedState.STOP, by=ex.ADA, at=ex.NOW)},
        {"wanted": Wanted(state=WantedState.PAUSE, by=ex.ADA, at=ex.NOW)},
        {"setup": Setup(step=SetupStep.STARTING, at=ex.NOW)},
    ],
)
def test_nothing_is_sent_to_a_session_that_does_not_run(fields: dict[str, object]) -> None:
    session = replace(RED, **fields)  # type: ignore[arg-type]
    assert reacted(session, CI).session == session
