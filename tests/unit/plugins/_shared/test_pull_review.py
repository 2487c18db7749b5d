"""What reviews come to, and which remarks a reviewer's words hold."""

from __future__ import annotations

import pytest

from orchestrator.domain.person import Actor, ActorKind, rule
from orchestrator.domain.pull_request import Review, ReviewDecision
from plugins._shared.pull_review import decision, reviewed
from plugins._shared.pull_store import PullRecord

EMPTY = PullRecord(number=1, session="demo-1", branch="b", base="main", title="T")
ANA = Actor(kind=ActorKind.PERSON, name="ana")
BEN = Actor(kind=ActorKind.PERSON, name="ben")
A, C, P, N = (
    ReviewDecision.APPROVED,
    ReviewDecision.CHANGES_REQUESTED,
    ReviewDecision.PENDING,
    ReviewDecision.NONE,
)


def given(record: PullRecord, by: Actor, verdict: ReviewDecision, head: str, body: str = "") -> PullRecord:
    review = Review(author=by.name, decision=verdict, head=head, at=1.0, body=body)
    return reviewed(record, review, by, 1)


@pytest.mark.parametrize(
    ("story", "approvals", "expected"),
    [
        ([], 0, N),
        ([], 1, P),
        ([(ANA, A, "h2")], 0, A),
        ([(ANA, A, "h2")], 1, A),
        ([(ANA, A, "h2")], 2, P),
        ([(ANA, A, "h2"), (ANA, A, "h2")], 2, P),
        ([(ANA, A, "h2"), (BEN, A, "h2")], 2, A),
        ([(ANA, A, "h1")], 0, N),
        ([(ANA, A, "h1")], 1, P),
        ([(ANA, C, "h2"), (BEN, A, "h2")], 1, C),
        ([(ANA, C, "h2"), (ANA, A, "h2")], 1, A),
        ([(ANA, A, "h2"), (ANA, C, "h2")], 1, C),
        ([(ANA, C, "h1")], 0, P),
        ([(ANA, C, "h1"), (BEN, A, "h2")], 0, A),
    ],
)
def test_decisions(
    story: list[tuple[Actor, ReviewDecision, str]], approvals: int, expected: ReviewDecision
) -> None:
    record = EMPTY
    for by, verdict, head in story:
        record = given(record, by, verdict, head)
    assert decision(record, "h2", approvals) is expected


def test_lines_with_a_place_become_remarks_and_the_rest_stays_the_reviews_own() -> None:
    body = "Nearly.\nsrc/a.py:12: name it better\n  and shorter\nb.md:3:typo\n\nhttp://x.test:80/ is fine.\x1b[0m"
    record = given(EMPTY, ANA, C, "h", body)
    assert [(c.id, c.path, c.line, c.body) for c in record.comments] == [
        ("1-1", "src/a.py", 12, "name it better\n  and shorter"),
        ("1-2", "b.md", 3, "typo"),
    ]
    assert record.reviews[0].body == "Nearly.\n\nhttp://x.test:80/ is fine."


def test_a_review_without_a_verdict_leaves_only_its_words() -> None:
    record = given(EMPTY, rule("linter"), P, "h", "Look at this.")
    assert (record.reviews, [(c.body, c.is_bot) for c in record.comments]) == ((), [("Look at this.", True)])


def test_the_same_review_again_changes_nothing() -> None:
    for verdict in (C, P, A):
        once = given(EMPTY, ANA, verdict, "h", "Words.\na.py:1: remark")
        assert given(once, ANA, verdict, "h", "Words.\na.py:1: remark") == once


def test_an_approval_settles_what_was_said() -> None:
    record = given(given(EMPTY, ANA, C, "h1", "a.py:1: one"), BEN, C, "h1", "b.py:2: two")
    by_ana = given(record, ANA, A, "h1")
    assert [(c.path, c.resolved) for c in by_ana.comments] == [("a.py", True), ("b.py", False)]
    assert all(c.resolved for c in given(record, ANA, A, "h2").comments)
