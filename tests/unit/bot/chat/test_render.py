"""What people see of sessions, pull requests and events."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import pytest

from bot.chat import render, view
from bot.chat.message import as_json
from orchestrator.domain.event import Event, Level, LoggedEvent
from orchestrator.domain.ids import ProjectId, SessionId, short_sha
from orchestrator.domain.person import OWNER
from orchestrator.domain.pull_request import CheckRun, CheckState, Mergeable, PullRequestState
from orchestrator.domain.session import (
    Approval,
    Question,
    Rescue,
    RuntimeFact,
    RuntimeState,
    Session,
    StatusLine,
    Task,
)
from orchestrator.domain.status import Status
from orchestrator.testing import examples

PR = examples.pull_request(title="Add \x1b[31mred\u202e", files=2, additions=5, deletions=1)


def session(status: Status = Status.WORKING, **fields: Any) -> Session:
    line = StatusLine(status=status, reason="because", evidence="seen", since=examples.NOW)
    return examples.session(status=line, **fields)


@pytest.mark.parametrize("status", list(Status))
def test_every_status_is_emoji_and_word(status: Status) -> None:
    emoji, word = render.state(status).split(" ", 1)
    assert not emoji.isascii()
    assert word == status.value.replace("_", " ")


def test_every_status_has_its_own_emoji() -> None:
    assert len(set(render.EMOJI.values())) == len(Status)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0s"), (0, "0s"), (59.9, "59s"), (60, "1m"), (3599, "59m"), (3900, "1h 05m"), (90_000, "1d 1h")],
)
def test_durations_are_short(seconds: float, text: str) -> None:
    assert render.duration(seconds) == text


def test_the_table_has_one_row_a_session_and_counts_who_waits() -> None:
    sessions = [session(), session(Status.STUCK), session(Status.WAITING_INPUT)]
    message = render.sessions_table(sessions, examples.NOW + 61)
    assert message.title == "3 sessions, 2 need a person"
    assert message.table
    assert message.table.rows[0][:3] == ("demo-1", "🔨 working", "1m")
    assert message.level is Level.ACTION
    json.dumps(as_json(message))


def test_the_table_says_why_and_counts_an_agent_that_is_gone() -> None:
    gone = RuntimeFact(state=RuntimeState.MISSING, at=0.0, reason="no such terminal")
    sessions = [session(Status.CONFLICTED, runtime=gone), session(Status.CONFLICTED), session()]
    message = render.sessions_table(sessions, examples.NOW)
    assert message.title == "3 sessions, 1 needs a person"
    assert message.table
    why = message.table.columns.index("why")
    assert [row[why] for row in message.table.rows] == ["because", "because", ""]


def test_a_card_shows_reason_evidence_question_and_facts() -> None:
    asks = Question(id="q1", text="Which\nway?", asked_at=0.0, options=("left", "right"))
    saved = Rescue(ref="refs/ao/rescue/demo-1/1", commit="c" * 40, at=0.0, summary="3 changed files")
    approval = Approval(by=OWNER, head=examples.HEAD, at=0.0)
    change = examples.change(PR, approvals=(approval,), unseen="forge is down")
    card = render.session_card(
        session(
            Status.WAITING_INPUT, changes=(change,), questions=(asks,), rescues=(saved,), dirty=1, hold=OWNER
        ),
        examples.NOW,
    )
    assert card.lines == ("because", "Evidence: seen", "Asks: Which way?", "  1. left", "  2. right")
    facts = {field.label: field.value for field in card.fields}
    assert facts["PR"] == "#7 Add red"
    assert facts["size"] == "2 files, +5 -1"
    assert facts["review"].endswith("approved here by owner")
    assert facts["uncommitted"] == "1 file"
    assert facts["last look"] == "failed: forge is down"
    assert "refs/ao/rescue/demo-1/1" in facts["rescued"]
    assert card.next_steps[0] == "answer demo-1 <text>"
    json.dumps(as_json(card))


def test_no_control_character_of_outside_text_is_shown() -> None:
    hostile = Task(title="\x1b]0;pwned\x07a\u202eb\nc", issue="1")
    text = json.dumps(as_json(render.sessions_table([session(task=hostile)], 0.0))["table"])
    assert "pwned" not in text
    assert "\\u202e" not in text


def test_buttons_carry_the_head_that_the_card_shows() -> None:
    card = render.session_card(session(Status.MERGEABLE, changes=(examples.change(PR),)), 0.0)
    [merge] = [button for button in card.buttons if button.verb == "merge"]
    assert merge.arguments == {"session": "demo-1", "head": examples.HEAD}


def test_a_commit_has_one_length_wherever_it_is_read() -> None:
    facts = {field.label: field.value for field in render.pull_request_fields(examples.change(PR))}
    assert facts["state"] == f"open, head {examples.HEAD[:12]} into main"
    assert short_sha(examples.HEAD) == examples.HEAD[:12]


def test_an_agent_that_is_gone_is_said_and_can_be_brought_back() -> None:
    gone = RuntimeFact(state=RuntimeState.MISSING, at=0.0, reason="no such terminal")
    card = render.session_card(
        session(Status.REVIEW_PENDING, changes=(examples.change(PR),), runtime=gone), examples.NOW
    )
    assert "Its agent is gone: no such terminal." in card.lines
    assert card.next_steps[-1] == "restore demo-1"
    assert {"Approve", "Restore", "Kill"} == {button.label for button in card.buttons}


def test_a_card_is_in_words_that_a_person_reads() -> None:
    signalled = examples.activity(at=3661.0, evidence="hook prompt_submit")
    merged = examples.change(
        examples.pull_request(state=PullRequestState.MERGED, mergeable=Mergeable.UNKNOWN)
    )
    line = StatusLine(status=Status.ERRORED, reason="demo-1: The branch is gone.", evidence="", since=0.0)
    card = render.session_card(
        replace(
            examples.session(branch="main", base="main", status=line, changes=(merged,)),
            work=replace(examples.session().work, activity=signalled),
        ),
        examples.NOW,
    )
    facts = {field.label: field.value for field in card.fields}
    assert facts["agent"].startswith("the agent works, by its own signal at ")
    assert facts["agent"].endswith("(hook prompt_submit)")
    assert facts["branch"] == "main"
    assert "merge" not in facts
    assert card.lines[0] == "The branch is gone."


def test_what_holds_a_merge_is_said() -> None:
    blocked = examples.change(examples.pull_request(mergeable=Mergeable.BLOCKED, blockers=("needs lint",)))
    facts = {field.label: field.value for field in render.pull_request_fields(blocked)}
    assert facts["merge"] == "blocked: needs lint"


def test_failing_checks_are_named() -> None:
    runs = (CheckRun(name="lint", state=CheckState.FAILED), CheckRun(name="tests", state=CheckState.PASSED))
    assert render.checks_words(examples.pull_request(runs=runs)) == "failing: lint"


def test_an_event_is_one_line() -> None:
    event = Event(
        id="demo-1:1",
        type="ci.failing",
        at=3661.0,
        project=ProjectId("demo"),
        session=SessionId("demo-1"),
        text="two\nlines",
        level=Level.URGENT,
    )
    logged = LoggedEvent(seq=4, event=event)
    when = time.strftime("%H:%M:%S", time.localtime(3661.0))
    assert render.event_line(logged, 3700.0) == f"{when} 🔔 demo-1 ci.failing two lines"
    assert render.event_line(logged, 3661.0 + 2 * 86400).startswith(("1970-01-01 ", "1969-12-31 "))
    assert (render.events_message([logged], 0.0).data or {}) == {
        "events": [view.event_data(logged)],
        "after": 4,
    }
    assert view.event_data(logged)["seq"] == 4


def test_a_session_in_full_is_json() -> None:
    full = view.session_detail(session(changes=(examples.change(PR),)))
    assert json.loads(json.dumps(full)) == full
    assert f'"head": "{examples.HEAD}"' in json.dumps(full["pull_request"])


def test_terminals_that_went_together_are_one_line_until_they_are_restored() -> None:
    gone = RuntimeFact(state=RuntimeState.MISSING, at=0.0, lost=True)
    lost = [examples.session(id=f"demo-{n}", runtime=gone) for n in (1, 2)]
    shown = render.sessions_table([*lost, examples.session(id="demo-3")], examples.NOW)
    assert shown.lines == ("2 terminals are gone together: demo-1, demo-2. Their work is safe.",)
    assert shown.next_steps == ("restore --all",)
    assert render.sessions_table([examples.session()], examples.NOW).lines == ()


def test_what_was_merged_before_a_restore_stays_to_be_seen() -> None:
    merged = examples.change(examples.pull_request(state=PullRequestState.MERGED, merge_commit="c" * 40))
    card = render.session_card(examples.session(changes=(merged,), past=(7,)), examples.NOW)
    assert ("merged before", "#7 as cccccccccccc") in [(f.label, f.value) for f in card.fields]
