from __future__ import annotations

from collections.abc import Callable

from orchestrator.domain.event import Level
from orchestrator.domain.rules import Rules
from orchestrator.settings import builtin
from orchestrator.settings.loader import Loaded

Write = Callable[..., Loaded]


def rules(write: Write, reactions: str = "{}", own: str = "{}", extra: str = "") -> Rules:
    text = f"reactions: {reactions}\nprojects: {{app: {{path: x, reactions: {own}}}}}\n{extra}"
    return write(text).require().rules("app")


def test_an_override_keeps_every_other_field(write: Write) -> None:
    bare, changed = rules(write), rules(write, "{ci-failed: {retries: 7}}")
    before, after = bare.reactions["ci-failed"], changed.reactions["ci-failed"]
    assert after.retries == 7
    assert (after.auto, after.action, after.message) == (before.auto, "send-to-agent", before.message)
    others = {key: rule for key, rule in changed.reactions.items() if key != "ci-failed"}
    assert others == {key: bare.reactions[key] for key in others}


def test_the_project_lies_over_the_fleet_field_by_field(write: Write) -> None:
    rule = rules(write, "{agent-stuck: {priority: info, threshold: 1h}}", "{agent-stuck: {threshold: 2h}}")
    assert rule.reactions["agent-stuck"].priority is Level.INFO
    assert rule.reactions["agent-stuck"].threshold == rule.stuck_after == 7200


def test_escalation_is_a_count_or_a_time(write: Write) -> None:
    count = rules(write, "{ci-failed: {escalateAfter: 4}}").reactions["ci-failed"]
    time = rules(write, "{ci-failed: {escalateAfter: 4m}}").reactions["ci-failed"]
    assert (count.escalate_after_count, count.escalate_after) == (4, None)
    assert (time.escalate_after_count, time.escalate_after) == (None, 240.0)


def test_null_takes_a_limit_away(write: Write) -> None:
    rule = rules(write, "{ci-failed: {retries: null, escalateAfter: null}}").reactions["ci-failed"]
    assert (rule.retries, rule.escalate_after_count, rule.escalate_after) == (None, None, None)


def test_thresholds(write: Write) -> None:
    text = "readyThresholdMs: 2000\nlifecycle: {detectingFor: 1m, detectingLooks: 5, autoCleanupOnMerge: false}\n"
    one = rules(write, extra=text + "defaults: {approvals: 2, mergeMethod: rebase, restore: auto}")
    assert (one.detecting_for, one.detecting_looks) == (60.0, 5)
    assert (one.approvals, one.merge_method, one.restore, one.cleanup_on_merge) == (
        2,
        "rebase",
        "auto",
        False,
    )


def test_finished_turn_counts_as_idle_after_its_time_unless_the_reaction_has_its_own(write: Write) -> None:
    fleet = "readyThresholdMs: 2000\n"
    assert rules(write).reactions["agent-idle"].threshold == 300.0
    assert rules(write, extra=fleet).reactions["agent-idle"].threshold == 2.0
    own = rules(write, "{agent-idle: {threshold: 1h}}", extra=fleet)
    assert own.reactions["agent-idle"].threshold == 3600.0


def test_a_project_may_need_no_approval_where_the_fleet_does(write: Write) -> None:
    text = (
        "defaults: {approvals: 2}\nprojects: {a: {path: x, approvals: 0, restore: auto, mergeMethod: merge}}"
    )
    one = write(text).require().rules("a")
    assert (one.approvals, one.restore, one.merge_method) == (0, "auto", "merge")


def test_the_defaults_of_both_places_agree(write: Write) -> None:
    bare = rules(write)
    assert Rules(reactions=bare.reactions) == bare


def test_what_writes_to_the_agent_has_words_and_an_end(write: Write) -> None:
    for rule in rules(write).reactions.values():
        if rule.action == "send-to-agent":
            assert rule.message
            assert rule.escalate_after or rule.escalate_after_count


def test_every_built_in_reaction_names_its_action() -> None:
    for reaction in builtin.reactions().values():
        assert {"auto", "action", "priority"} <= reaction.model_fields_set
