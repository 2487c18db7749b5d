"""Who is told what, how loudly, and with which buttons."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from orchestrator.attention import routing
from orchestrator.domain.event import Event, Level, LoggedEvent, Scalar
from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.rules import ReactionAction
from orchestrator.testing import examples as ex


def event(kind: str, level: Level = Level.INFO, session: str | None = "demo-1", **data: Scalar) -> Event:
    return Event(
        id="demo-1:7",
        type=kind,
        at=ex.NOW,
        project=ProjectId("demo"),
        session=SessionId(session) if session else None,
        text="first line\n\nsecond line",
        level=level,
        data=data,
    )


@pytest.mark.parametrize("kind", sorted(routing.TOLD))
def test_what_is_told_keeps_its_own_level_without_a_rule_and_has_a_title(kind: str) -> None:
    assert routing.level(event(kind, Level.ACTION), None) is Level.ACTION
    assert routing.level(event(kind, Level.WARNING), ex.rules()) is Level.WARNING
    title = routing.notification(LoggedEvent(seq=1, event=event(kind)), Level.INFO).title
    assert title != f"demo-1: {kind}"


@pytest.mark.parametrize("kind", ["session.working", "message.typed", "pr.updated", "session.killed"])
def test_everything_else_is_silent(kind: str) -> None:
    assert routing.level(event(kind, Level.URGENT), None) is None


@pytest.mark.parametrize(("kind", "key"), sorted(routing.REACTION_OF.items()))
def test_rule_of_a_reaction_sets_how_loud_it_is(kind: str, key: str) -> None:
    rule = ex.reaction(key, action="notify", priority=Level.ACTION)
    assert routing.level(event(kind, Level.URGENT), ex.rules(rule)) is Level.ACTION


@pytest.mark.parametrize("action", get_args(ReactionAction))
@pytest.mark.parametrize("auto", [True, False])
def test_what_a_rule_does_by_itself_is_no_news(action: str, auto: bool) -> None:
    rule = ex.reaction("ci-failed", action=action, auto=auto, priority=Level.WARNING)
    # With `auto: false` the event `reaction.waits` tells of it, with the command.
    silent = action == "send-to-agent" or (auto and action == "auto-merge")
    assert routing.level(event("ci.failing"), ex.rules(rule)) is (None if silent else Level.WARNING)


def test_event_that_no_reaction_sends_is_told_though_its_rule_says_so() -> None:
    rule = ex.reaction("agent-stuck", action="send-to-agent", auto=False, priority=Level.ACTION)
    assert routing.level(event("session.stuck"), ex.rules(rule)) is Level.ACTION


def test_message_that_waits_is_told_unless_its_priority_is_info() -> None:
    assert routing.level(event("reaction.waits", Level.WARNING), ex.rules()) is Level.WARNING
    assert routing.level(event("reaction.waits", Level.INFO), ex.rules()) is None


def test_notification_carries_what_the_event_says() -> None:
    logged = LoggedEvent(seq=9, event=event("pr.opened", url="https://forge.example/7"))
    found = routing.notification(logged, Level.ACTION)
    assert (found.key, found.level, found.project, found.session) == (
        "demo-1:7",
        Level.ACTION,
        "demo",
        "demo-1",
    )
    assert found.lines == ("first line", "second line")
    assert (found.link, found.at, found.event_type) == ("https://forge.example/7", ex.NOW, "pr.opened")
    assert found.title == "demo-1: pull request opened"
    fleet = routing.notification(LoggedEvent(seq=9, event=event("fleet.lost", session=None)), Level.URGENT)
    assert (fleet.title, fleet.session, fleet.actions) == ("demo: terminals are gone", "", ())


def test_words_of_a_rule_that_notifies_come_with_it() -> None:
    logged = LoggedEvent(seq=9, event=event("pr.closed"))
    rule = ex.reaction("pr-closed", action="notify", message="Ask Ada why.")
    assert routing.notification(logged, Level.ACTION, ex.rules(rule)).lines == (
        "first line",
        "second line",
        "Ask Ada why.",
    )
    to_agent = ex.rules(ex.reaction("pr-closed", auto=False, message="for the agent"))
    assert "for the agent" not in routing.notification(logged, Level.ACTION, to_agent).lines


@pytest.mark.parametrize("wanted", [True, False])
def test_summary_of_all_sessions_comes_where_the_rule_says_so(wanted: bool) -> None:
    ended = event("fleet.complete", session=None, summary="demo-1 merged\ndemo-2 killed")
    rule = ex.reaction("all-complete", action="notify", message="", include_summary=wanted)
    lines = routing.notification(LoggedEvent(seq=1, event=ended), Level.INFO, ex.rules(rule)).lines
    assert lines == ("first line", "second line", *(("demo-1 merged", "demo-2 killed") if wanted else ()))


@pytest.mark.parametrize(
    ("kind", "data", "actions"),
    [
        (
            "question.asked",
            {"options": "red | dark blue", "question": "q1"},
            [
                ("red", "answer demo-1 --question q1 -- red"),
                ("dark blue", "answer demo-1 --question q1 -- dark blue"),
            ],
        ),
        ("question.asked", {"options": ""}, []),
        ("merge.ready", {"head": "a" * 40}, [("Merge", f"merge demo-1 --head {'a' * 40}")]),
        ("merge.ready", {"head": ""}, []),
        ("review.pending", {"head": "a" * 40}, [("Approve", f"approve demo-1 --head {'a' * 40}")]),
        ("push.held", {"head": "a" * 40}, [("Release this push", f"release demo-1 --head {'a' * 40}")]),
        ("text.held", {"held": "t1"}, [("Release to agent", "release-text demo-1 t1")]),
        ("reaction.waits", {}, [("Send", "retry demo-1 --send")]),
        ("session.errored", {}, [("Restore", "restore demo-1")]),
        ("pr.opened", {"head": "a" * 40}, []),
    ],
)
def test_actions_name_what_a_person_saw(
    kind: str, data: dict[str, Scalar], actions: list[tuple[str, str]]
) -> None:
    found = routing.notification(
        LoggedEvent(seq=1, event=replace(event(kind), data=data)), Level.ACTION
    ).actions
    assert [(a.label, a.verb) for a in found] == actions


def test_a_text_by_an_outsider_is_told_beyond_its_thread_only_where_the_agent_waits_for_it() -> None:
    assert routing.level(replace(event("text.held"), level=Level.INFO), None) is None
    assert routing.level(replace(event("text.held"), level=Level.ACTION), None) is Level.ACTION
