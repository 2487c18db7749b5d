"""Facts + rules + what was tried -> what is to happen next. Pure.

A reaction's outcome inside the session (a queued message, a counted attempt, an escalation) is part
of the draft and so is kept together with what caused it.
"""

from __future__ import annotations

from dataclasses import replace

from orchestrator.domain.activity import ActivityState
from orchestrator.domain.event import Level
from orchestrator.domain.message import OPEN_STAGES, Message, MessageStage
from orchestrator.domain.person import rule as rule_actor
from orchestrator.domain.pull_request import PullRequestState
from orchestrator.domain.rules import ReactionRule, Rules
from orchestrator.domain.session import (
    Attempt,
    SetupStep,
    StopReason,
    Wanted,
    WantedState,
)
from orchestrator.domain.status import Status
from orchestrator.lifecycle import delivery, merging, permissions
from orchestrator.lifecycle.changes import PUBLISHING
from orchestrator.lifecycle.conditions import CONDITIONS, Condition, settled
from orchestrator.lifecycle.draft import Draft

TYPING_LOST = 30.0
"""Seconds after which a message in stage `typing` counts as interrupted by a crash of ours."""


def react(draft: Draft, rules: Rules) -> None:
    """Bring the draft to where the rules want it."""
    if draft.session.wanted.state is WantedState.STOP:
        delivery.fail_open(draft, "the session ended before it was answered")
        return
    _clean_up_after_merge(draft, rules)
    if draft.session.wanted.state is not WantedState.RUN or draft.session.setup.step is not SetupStep.READY:
        return
    permissions.answer_waiting(draft, rules)
    _settle_messages(draft)
    for key, find in CONDITIONS.items():
        known = rules.reactions.get(key)
        if known is not None:
            _one(draft, known, find(draft.session))
    _auto_merge(draft, rules)


def stop(draft: Draft, reason: StopReason, words: str) -> None:
    """A rule of ours wants the session to end."""
    by = rule_actor("ao")
    draft.set(wanted=Wanted(state=WantedState.STOP, by=by, at=draft.now, reason=reason, words=words))


def _clean_up_after_merge(draft: Draft, rules: Rules) -> None:
    change = draft.session.change
    if change is None or change.pr.state is not PullRequestState.MERGED or not rules.cleanup_on_merge:
        return
    # Another pull request may just be opened; an intent that a crash left behind holds up no longer.
    publishes = any(
        i.key == PUBLISHING and draft.now - i.at < rules.cleanup_grace for i in draft.session.intents
    )
    busy = draft.session.work.activity.state is ActivityState.BUSY
    if publishes or (busy and draft.now - change.since < rules.cleanup_grace):
        return
    stop(draft, StopReason.MERGED, f"#{change.pr.number} is in {change.pr.base}")


def _settle_messages(draft: Draft) -> None:
    """Messages that time has decided: typing that a crash cut off, typing that nobody confirmed."""
    for message in draft.session.messages:
        age = draft.now - message.stage_at
        if message.stage is MessageStage.TYPING and age >= TYPING_LOST:
            reason = "we were interrupted while typing it, and the agent does not say that it has it"
            delivery.stage(draft, message, MessageStage.FAILED, f"{reason}; it was not typed again")
        elif (
            message.stage is MessageStage.TYPED
            and message.tries >= delivery.TRIES
            and age >= delivery.TYPED_WAIT
        ):
            reason = f"typed, and not confirmed by the agent after {message.tries} tries"
            delivery.stage(draft, message, MessageStage.FAILED, reason)


def _one(draft: Draft, rule: ReactionRule, condition: Condition | None) -> None:
    """One reaction: once for each fingerprint, counted, and escalated when it does not help."""
    _overtaken(draft, rule.key, "" if condition is None else condition.fingerprint)
    attempt = _tried(draft, rule.key)
    if condition is None:
        if attempt is not None and settled(rule.key, draft.session):
            _settled(draft, attempt)
        return
    if rule.threshold is not None and draft.now - condition.since < rule.threshold:
        return
    same = attempt is not None and attempt.fingerprint == condition.fingerprint
    if _waits_for_person(rule):
        if not same:
            _wait(draft, rule, condition)
    elif attempt is None or not same or attempt.count == 0:
        _next_attempt(draft, rule, condition, attempt)
    else:
        _late(draft, rule, condition, attempt)


def _tried(draft: Draft, key: str) -> Attempt | None:
    return next((a for a in draft.session.attempts if a.key == key), None)


def _settled(draft: Draft, attempt: Attempt) -> None:
    """Over: counted from the start when it comes back. What the agent was told, it was told."""
    if not attempt.fingerprint:
        return
    kept = replace(attempt, fingerprint="", count=0, escalated_at=None) if attempt.sent else None
    _put(draft, attempt.key, kept)


def _waits_for_person(rule: ReactionRule) -> bool:
    return rule.action == "send-to-agent" and not rule.auto


def _wait(draft: Draft, rule: ReactionRule, condition: Condition) -> None:
    """`auto: false`: told once, not counted, and the message waits until somebody says so."""
    _put(draft, rule.key, _attempt(draft, condition, 0, _tried(draft, rule.key)))
    change = draft.session.change
    shown = {"head": change.pr.head, "url": change.pr.url} if change is not None else {}
    draft.tell(
        "reaction.waits",
        f"{condition.words}; `ao retry {draft.session.id} --send` tells the agent",
        rule.priority,
        reaction=rule.key,
        fingerprint=condition.fingerprint,
        **shown,
    )


def send_waiting(draft: Draft, rules: Rules) -> int:
    """A person's leave: what waits because of `auto: false` goes to the agent. Returns how much."""
    found = [
        (rules.reactions[key], condition)
        for key, find in CONDITIONS.items()
        if key in rules.reactions and _waits_for_person(rules.reactions[key])
        if (condition := find(draft.session)) is not None
    ]
    for rule, condition in found:
        _put(draft, rule.key, _attempt(draft, condition, 1))
        _send(draft, rule, condition, 1)
    return len(found)


def _attempt(draft: Draft, condition: Condition, count: int, old: Attempt | None = None) -> Attempt:
    return Attempt(
        key=condition.key,
        fingerprint=condition.fingerprint,
        count=count,
        first_at=old.first_at if old is not None and old.count else draft.now,
        last_at=draft.now,
        escalated_at=old.escalated_at if old is not None else None,
        sent=old.sent if old is not None else (),
    )


def _next_attempt(draft: Draft, rule: ReactionRule, condition: Condition, old: Attempt | None) -> None:
    count = (old.count if old else 0) + 1
    attempt = _attempt(draft, condition, count, old)
    _put(draft, rule.key, attempt)
    limits = [n for n in (rule.retries, rule.escalate_after_count) if n is not None]
    if limits and count > min(limits):
        _escalate(draft, rule, attempt, f"tried {count - 1} times")
    elif rule.action == "send-to-agent" and condition.fingerprint not in attempt.sent:
        _send(draft, rule, condition, count)


def _send(draft: Draft, rule: ReactionRule, condition: Condition, count: int) -> None:
    attempt = _tried(draft, rule.key)
    if condition.once and attempt is not None:
        _put(draft, rule.key, replace(attempt, sent=(*attempt.sent, condition.fingerprint)))
    key = f"{rule.key}:{condition.fingerprint}"
    if any(m.key == key and m.stage in OPEN_STAGES for m in draft.session.messages):
        return  # it is on its way already
    text = "\n\n".join(part for part in (rule.message, condition.details) if part)
    draft.enqueue(text, by=f"reaction {rule.key}", key=key)
    draft.tell(
        "reaction.sent",
        f"{rule.key}: attempt {count}, the agent is told",
        reaction=rule.key,
        attempt=count,
        fingerprint=condition.fingerprint,
    )


def _late(draft: Draft, rule: ReactionRule, condition: Condition, attempt: Attempt) -> None:
    """Nothing new happened: time, or a message that never arrived, may escalate it."""
    if attempt.escalated_at is not None:
        return
    if rule.escalate_after is not None and draft.now - attempt.first_at >= rule.escalate_after:
        minutes = int(rule.escalate_after // 60)
        _escalate(draft, rule, attempt, f"not settled for {minutes} min")
        return
    key = f"{rule.key}:{condition.fingerprint}"
    sent = next((m for m in reversed(draft.session.messages) if m.key == key), None)
    if sent is not None and sent.stage is MessageStage.FAILED:
        _escalate(draft, rule, attempt, f"the agent could not be told: {sent.reason}")


def _escalate(draft: Draft, rule: ReactionRule, attempt: Attempt, why: str) -> None:
    if attempt.escalated_at is not None:
        return
    _put(draft, rule.key, replace(attempt, escalated_at=draft.now))
    level = Level.URGENT if rule.action == "send-to-agent" else rule.priority
    draft.tell(
        "reaction.escalated",
        f"{rule.key} needs a person: {why}",
        level,
        reaction=rule.key,
        attempt=attempt.count,
        fingerprint=attempt.fingerprint,
    )


def _overtaken(draft: Draft, key: str, fingerprint: str) -> None:
    """A queued message about something that is no longer so is not typed."""
    for message in draft.session.messages:
        stale = _is_about(message, key) and message.key != f"{key}:{fingerprint}"
        if stale and message.stage is MessageStage.RECEIVED:
            _unsent(draft, key, message.key.removeprefix(f"{key}:"))
            reason = "overtaken: what it was about is no longer so"
            draft.put_message(replace(message, stage=MessageStage.FAILED, stage_at=draft.now, reason=reason))
            draft.tell("message.overtaken", f"message {message.number} is {reason}", number=message.number)


def _unsent(draft: Draft, key: str, fingerprint: str) -> None:
    """It was never typed: the agent has not been told of that head."""
    attempt = _tried(draft, key)
    if attempt is not None and fingerprint in attempt.sent:
        sent = tuple(head for head in attempt.sent if head != fingerprint)
        _put(draft, key, replace(attempt, sent=sent))


def _is_about(message: Message, key: str) -> bool:
    return message.key.startswith(f"{key}:")


def _put(draft: Draft, key: str, attempt: Attempt | None) -> None:
    others = tuple(a for a in draft.session.attempts if a.key != key)
    draft.set(attempts=others if attempt is None else (*others, attempt))


def _auto_merge(draft: Draft, rules: Rules) -> None:
    """`approved-and-green` with `auto: true` and `action: auto-merge` merges at the head that is so."""
    rule = rules.reactions.get(merging.RULE)
    change = draft.session.change
    if rule is None or not rule.auto or rule.action != "auto-merge" or change is None:
        return
    head = change.pr.head
    attempt = _tried(draft, rule.key)
    if draft.session.status.status is not Status.MERGEABLE:
        return
    if attempt is not None and attempt.fingerprint == head:
        return
    count = (attempt.count if attempt else 0) + 1
    first = attempt.first_at if attempt else draft.now
    _put(
        draft,
        rule.key,
        Attempt(key=rule.key, fingerprint=head, count=count, first_at=first, last_at=draft.now),
    )
    merging.ask(draft, head, by=merging.BY_RULE)
