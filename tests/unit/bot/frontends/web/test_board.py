"""Which column a session stands in, in which order, and what is folded away."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.chat.card import card
from bot.frontends.web.board import (
    FOLDED_AT,
    NEWEST_DONE,
    Column,
    View,
    card_of,
    column,
    needing,
    piles,
    waiting,
)
from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.session import RuntimeFact, RuntimeState, Session, StatusLine, Task
from orchestrator.domain.status import Status
from orchestrator.testing import examples


def _session(
    number: int = 1, status: Status = Status.WORKING, since: float = 0.0, **fields: object
) -> Session:
    made = examples.session(
        id=SessionId(f"demo-{number}"),
        status=StatusLine(status=status, reason="because", evidence="", since=since),
    )
    return replace(made, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("status", Status)
def test_every_status_has_a_column(status: Status) -> None:
    assert column(_session(status=status)) in Column


@pytest.mark.parametrize(
    ("status", "where"),
    [
        (Status.WAITING_INPUT, Column.NEEDS),
        (Status.STUCK, Column.NEEDS),
        (Status.WORKING, Column.WORKING),
        (Status.QUEUED, Column.WORKING),
        (Status.REVIEW_PENDING, Column.REVIEW),
        (Status.CI_FAILED, Column.REVIEW),
        (Status.MERGEABLE, Column.READY),
        (Status.MERGED, Column.DONE),
        (Status.KILLED, Column.DONE),
    ],
)
def test_where_a_status_stands(status: Status, where: Column) -> None:
    assert column(_session(status=status)) is where


def test_red_checks_whose_agent_is_gone_need_somebody() -> None:
    gone = RuntimeFact(state=RuntimeState.EXITED, at=0.0)
    assert column(_session(status=Status.CI_FAILED, runtime=gone)) is Column.NEEDS


def test_who_asks_longest_stands_first_and_everything_else_newest_first() -> None:
    asking = [_session(n, Status.WAITING_INPUT, since=float(n)) for n in (3, 1, 2)]
    working = [_session(n, Status.WORKING, since=float(n)) for n in (5, 7, 6)]
    made = {pile.column: [card.id for card in pile.cards] for pile in piles([*asking, *working], View())}
    assert made[Column.NEEDS] == ["demo-1", "demo-2", "demo-3"]
    assert made[Column.WORKING] == ["demo-7", "demo-6", "demo-5"]
    assert [card.id for card in waiting(asking + working, View())] == ["demo-1", "demo-2", "demo-3"]
    assert needing(asking + working, View()) == 3


def test_long_columns_are_folded_until_somebody_asks_for_all() -> None:
    many = [_session(n) for n in range(1, FOLDED_AT + 20)]
    done = [_session(n, Status.MERGED) for n in range(1000, 1000 + NEWEST_DONE + 5)]
    folded = {pile.column: pile for pile in piles([*many, *done], View())}
    assert len(folded[Column.WORKING].cards) == FOLDED_AT
    assert folded[Column.WORKING].count == FOLDED_AT + 19
    assert len(folded[Column.DONE].cards) == NEWEST_DONE
    whole = {pile.column: pile for pile in piles([*many, *done], View(whole=True))}
    assert len(whole[Column.WORKING].cards) == FOLDED_AT + 19


def test_a_view_shows_what_its_person_may_see_and_looks_for() -> None:
    session = _session(task=Task(issue="12", title="Fix the Login"))
    assert View(query="login demo-1").shows(session)
    assert View(query="#12").shows(session)
    assert not View(query="logout").shows(session)
    assert not View(project="other").shows(session)
    assert not View(visible=frozenset({"other"})).shows(session)
    assert View(project=ProjectId("demo"), visible=frozenset({"demo"})).shows(session)


def test_a_view_is_written_as_an_address() -> None:
    assert View().search == ""
    assert View(project="demo", query="a b&c").with_all.search == "?project=demo&q=a+b%26c&all=1"


def test_a_card_carries_a_word_beside_its_sign() -> None:
    card = card_of(_session(status=Status.CI_FAILED, changes=(examples.change(examples.red()),)))
    assert (card.emoji, card.state, card.pull_request) == ("❌", "ci failed", "#7")


def test_what_a_person_can_do_nothing_about_does_not_wait_for_them() -> None:
    asks = _session(1, Status.REVIEW_PENDING, changes=(examples.change(),))
    looks_on = View(may=lambda _session, verb: verb == "output")
    approves = View(may=lambda _session, verb: verb == "approve")
    assert (needing([asks], looks_on), needing([asks], approves)) == (0, 1)
    assert (waiting([asks], looks_on), card_of(asks, looks_on).asks) == ((), False)
    assert [button.verb for button in approves.offered(card(asks), asks).buttons] == ["approve"]
