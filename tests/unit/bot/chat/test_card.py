"""The card: what moves by itself is no change of it, and it offers what makes sense."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.chat import offers, payload
from bot.chat.card import card, coarse, digest
from bot.chat.message import Button
from orchestrator.domain.activity import ToolCall
from orchestrator.domain.person import OWNER
from orchestrator.domain.policy import PERMISSION_OPTIONS
from orchestrator.domain.pull_request import Approving, PullRequestState
from orchestrator.domain.session import Approval, Question, Session, StatusLine, Task, Wanted, WantedState
from orchestrator.domain.status import Status
from orchestrator.domain.usage import Usage, Used
from orchestrator.testing import examples


def session(status: Status = Status.WORKING, **fields: Any) -> Session:
    line = StatusLine(status=status, reason="because", evidence="seen", since=examples.NOW)
    return examples.session(status=line, **fields)


def verbs(session: Session) -> list[str]:
    return [button.verb for button in card(session).buttons]


def question(**fields: Any) -> Question:
    asked = Question(id="q12345678", text="One or two?", asked_at=examples.NOW, options=("one", "two"))
    return replace(asked, **fields)


def test_it_says_since_when_and_never_for_how_long() -> None:
    shown = card(session())
    assert shown.title == "demo-1 · #1 Add a greeting"
    state = shown.fields[0]
    assert (state.label, state.value, state.at) == ("state", "🔨 Working", examples.NOW)


def test_looking_and_spending_a_little_are_no_change() -> None:
    spent = Used(total=Usage(input_tokens=10, dollars=1.01))
    one = session(used=spent)
    later = session(
        used=replace(spent, total=replace(spent.total, dollars=1.99, input_tokens=90)),
        work=replace(one.work, at=one.work.at + 500, progress_at=one.work.at + 400),
    )
    assert digest(card(one)) == digest(card(later))
    more = session(used=replace(spent, total=replace(spent.total, dollars=2.0)))
    assert digest(card(one)) != digest(card(more))


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        (Usage(), ""),
        (Usage(dollars=0.05), ""),
        (Usage(dollars=0.3), "over $0.25"),
        (Usage(dollars=7.0), "over $5"),
        (Usage(input_tokens=9_000), ""),
        (Usage(input_tokens=60_000), "over 50k tokens"),
        (Usage(input_tokens=2_000_000), "over 1,000k tokens"),
    ],
)
def test_what_was_spent_is_told_in_steps(usage: Usage, words: str) -> None:
    assert coarse(usage) == words


@pytest.mark.parametrize("status", list(Status))
def test_whatever_its_state_a_card_has_few_buttons_that_fit_everywhere(status: Status) -> None:
    for changes in ((), (examples.change(examples.pull_request()),)):
        for asks in ((), (question(),), (question(options=()),)):
            shown = card(session(status, changes=changes, questions=asks))
            assert len(shown.buttons) <= 4
            assert len({button.label for button in shown.buttons}) == len(shown.buttons)
            for button in (*shown.buttons, *shown.menu):
                assert payload.read(payload.encode(button)).verb == button.verb
                assert not button.danger or button in shown.menu or button.verb == "answer"


def test_a_merge_is_offered_at_the_head_that_is_shown_with_what_a_person_must_know() -> None:
    pr = examples.pull_request(files=3, additions=10, deletions=2, notes=("2 tests removed",))
    approval = Approval(by=OWNER, head=pr.head, at=0.0)
    shown = card(session(Status.MERGEABLE, changes=(examples.change(pr, approvals=(approval,)),)))
    [merge] = [button for button in shown.buttons if button.verb == "merge"]
    assert merge.arguments["head"] == pr.head
    text = "\n".join(merge.confirm)
    for words in (
        "#7 at aaaaaaaaaaaa",
        "3 files, +10 -2",
        "2 tests removed",
        "passing",
        "Approved by owner",
        "by ada",
    ):
        assert words in text


def test_a_card_asks_for_the_one_thing_that_is_needed() -> None:
    change = (examples.change(examples.pull_request()),)
    assert card(session(Status.REVIEW_PENDING, changes=change)).lines == ("Needs a review at aaaaaaaaaaaa.",)
    assert verbs(session(Status.REVIEW_PENDING, changes=change)) == ["approve", "request-changes"]
    waiting = session(Status.WAITING_INPUT, questions=(question(),))
    assert card(waiting).lines == ("Asks: One or two?",)
    assert [button.label for button in card(waiting).buttons] == ["one", "two"]
    assert (
        verbs(session(Status.PAUSED, wanted=Wanted(state=WantedState.PAUSE, by=OWNER, at=0.0)))[0]
        == "unpause"
    )
    assert verbs(session(Status.ERRORED)) == ["restore"]
    assert card(session()).lines == ()


def test_leave_is_asked_with_what_it_wants_to_run() -> None:
    call = ToolCall(tool="Bash", argument="rm -rf build\nls", shell=True)  # noqa: S604 - a value of ours
    asked = question(call=call, options=PERMISSION_OPTIONS)
    shown = card(session(Status.WAITING_INPUT, questions=(asked,)))
    assert shown.lines == ("Wants to run Bash: rm -rf build ls",)
    found = offers.answers(session(), asked)
    assert [button.label for button in found] == list(PERMISSION_OPTIONS)
    assert [bool(button.ask) for button in found] == [False, False, False, True]
    assert [button.danger for button in found] == [False, False, True, False]


def test_no_escape_or_turning_character_of_outside_text_is_shown() -> None:
    hostile = "\x1b]0;pwned\x07a\u202eb\n<script>"
    shown = card(session(Status.WAITING_INPUT, task=Task(title=hostile), questions=(question(text=hostile),)))
    text = f"{shown.title}{shown.lines}{shown.fields}"
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "pwned" not in text


def test_an_ended_session_has_what_became_of_it_and_no_menu() -> None:
    over = session(Status.KILLED, wanted=Wanted(state=WantedState.STOP, by=OWNER, at=0.0))
    assert card(over).menu == ()
    assert verbs(over) == ["restore"]


def test_kill_is_confirmed_with_what_is_unsaved() -> None:
    [kill] = [button for button in card(session(dirty=2)).menu if button.verb == "kill"]
    assert kill.danger
    assert "2 uncommitted files" in kill.confirm[1]


def test_an_option_of_odd_words_still_is_a_button() -> None:
    odd = question(options=("\x1b[0m", "x" * 500, "2"))
    labels = [button.label for button in offers.answers(session(), odd)]
    assert labels[0] == "Option 1"
    assert len(labels[1]) <= 75
    assert isinstance(offers.answers(session(), odd)[2], Button)


@pytest.mark.parametrize(
    ("approving", "labels"),
    [
        (Approving.COUNTS, ["Approve demo-1", "Request changes"]),
        (Approving.HERE, ["Approve here demo-1", "Request changes"]),
        (Approving.NOWHERE, ["Request changes"]),
    ],
)
def test_approve_says_where_it_counts(approving: Approving, labels: list[str]) -> None:
    change = (examples.change(examples.pull_request(approving=approving)),)
    shown = card(session(Status.REVIEW_PENDING, changes=change))
    assert [button.label for button in shown.buttons] == labels


def test_a_draft_offers_to_be_made_ready() -> None:
    draft = examples.change(examples.pull_request(state=PullRequestState.DRAFT))
    assert verbs(session(Status.PR_OPEN, changes=(draft,)))[0] == "ready"
    assert "ready" not in verbs(session(Status.PR_OPEN, changes=(examples.change(),)))
