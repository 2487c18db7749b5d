"""What a look at the pull request changes and tells, word for word."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.event import Level
from orchestrator.domain.look import Look, Seen, Unseen
from orchestrator.domain.pull_request import (
    CheckRun,
    Checks,
    CheckState,
    Mergeable,
    PullRequest,
    PullRequestState,
    ReviewComment,
    ReviewDecision,
)
from orchestrator.domain.session import Approval, Change, Session
from orchestrator.lifecycle import changes
from orchestrator.lifecycle.draft import Draft
from orchestrator.testing import examples as ex

LATER = ex.NOW + 30
Told = tuple[str, str, Level, dict[str, object]]
A, B = "aaaaaaaaaaaa", "bbbbbbbbbbbb"


def seen(session: Session, look: Look[PullRequest | None]) -> Draft:
    draft = Draft(session, LATER)
    changes.decide_change(draft, look)
    return draft


def told(draft: Draft) -> list[Told]:
    """Each names the pull request's page, so that every notification links to it."""
    assert {e.data["url"] for e in draft.events} <= {"https://forge.example/7"}
    shown: list[dict[str, object]] = [{k: v for k, v in e.data.items() if k != "url"} for e in draft.events]
    return [(e.type, e.text, e.level, data) for e, data in zip(draft.events, shown, strict=True)]


def now(draft: Draft) -> Change:
    assert draft.session.change is not None
    return draft.session.change


def one(pr: PullRequest | None = None, **fields: object) -> Session:
    return ex.session(changes=(ex.change(pr, **fields),))


QUIET = ex.pull_request(checks=Checks.NONE, decision=ReviewDecision.NONE)


def test_first_look_opens_it_and_tells_what_holds_already() -> None:
    draft = seen(ex.session(), Seen(ex.red()))
    assert now(draft) == Change(pr=ex.red(), at=LATER, since=LATER, red_heads=(ex.HEAD,))
    assert told(draft) == [
        (
            "pr.opened",
            "pull request #7 opened: Add a greeting",
            Level.INFO,
            {"number": 7, "head": ex.HEAD},
        ),
        ("ci.failing", f"checks failed at {A}: tests", Level.WARNING, {"head": ex.HEAD, "checks": "tests"}),
    ]


def test_another_pull_request_of_the_session_is_added() -> None:
    draft = seen(one(), Seen(replace(QUIET, number=8)))
    assert [c.pr.number for c in draft.session.changes] == [7, 8]
    assert [e.type for e in draft.events] == ["pr.opened"]
    assert now(draft).approvals == ()


def test_same_look_again_tells_nothing_and_keeps_since() -> None:
    draft = seen(one(), Seen(ex.pull_request()))
    assert told(draft) == []
    assert (now(draft).since, now(draft).at) == (ex.NOW, LATER)


@pytest.mark.parametrize(
    "fields",
    [
        {"head": ex.OTHER_HEAD},
        {"state": PullRequestState.DRAFT},
        {"checks": Checks.PENDING},
        {"decision": ReviewDecision.APPROVED},
        {"mergeable": Mergeable.UNKNOWN},
    ],
)
def test_since_is_when_anything_that_counts_changed(fields: dict[str, object]) -> None:
    assert now(seen(one(), Seen(ex.pull_request(**fields)))).since == LATER
    assert now(seen(one(), Seen(ex.pull_request(title="other")))).since == ex.NOW


def test_what_we_did_about_it_is_kept() -> None:
    approval = Approval(by=ex.ADA, head=ex.HEAD, at=ex.NOW)
    draft = seen(one(approvals=(approval,), unseen="502"), Seen(ex.pull_request(head=ex.OTHER_HEAD)))
    assert (now(draft).approvals, now(draft).unseen) == ((approval,), "")


MOVES: list[tuple[str, PullRequest, PullRequest, list[Told]]] = [
    (
        "new head that passes",
        ex.pull_request(),
        ex.pull_request(head=ex.OTHER_HEAD),
        [
            (
                "pr.updated",
                f"pull request #7 is at {B} now",
                Level.INFO,
                {"head": ex.OTHER_HEAD, "was": ex.HEAD},
            ),
            ("ci.passing", f"checks passed at {B}", Level.INFO, {"head": ex.OTHER_HEAD}),
        ],
    ),
    (
        "checks begin",
        QUIET,
        replace(QUIET, checks=Checks.PENDING),
        [],
    ),
    (
        "checks pass",
        replace(QUIET, checks=Checks.PENDING),
        replace(QUIET, checks=Checks.PASSING),
        [("ci.passing", f"checks passed at {A}", Level.INFO, {"head": ex.HEAD})],
    ),
    (
        "approved",
        QUIET,
        replace(QUIET, decision=ReviewDecision.APPROVED),
        [("review.approved", "#7 is approved", Level.INFO, {"head": ex.HEAD})],
    ),
    (
        "changes requested",
        QUIET,
        replace(QUIET, decision=ReviewDecision.CHANGES_REQUESTED),
        [("review.changes_requested", "changes are asked for on #7", Level.WARNING, {"head": ex.HEAD})],
    ),
    ("review asked for", QUIET, replace(QUIET, decision=ReviewDecision.PENDING), []),
    (
        "conflict",
        QUIET,
        replace(QUIET, mergeable=Mergeable.CONFLICTED),
        [("merge.conflicts", "#7 conflicts with main", Level.WARNING, {"head": ex.HEAD})],
    ),
    (
        "conflict as before",
        replace(QUIET, mergeable=Mergeable.CONFLICTED),
        replace(QUIET, mergeable=Mergeable.CONFLICTED),
        [],
    ),
    (
        "merged",
        QUIET,
        replace(QUIET, state=PullRequestState.MERGED, merge_commit="c" * 40),
        [
            (
                "pr.merged",
                "#7 is merged into main as cccccccccccc",
                Level.ACTION,
                {"head": ex.HEAD, "commit": "c" * 40},
            )
        ],
    ),
    (
        "merged as before",
        replace(QUIET, state=PullRequestState.MERGED),
        replace(QUIET, state=PullRequestState.MERGED),
        [],
    ),
    (
        "closed",
        replace(QUIET, state=PullRequestState.DRAFT),
        replace(QUIET, state=PullRequestState.CLOSED),
        [("pr.closed", "#7 was closed without a merge", Level.ACTION, {"head": ex.HEAD})],
    ),
    (
        "closed as before",
        replace(QUIET, state=PullRequestState.CLOSED),
        replace(QUIET, state=PullRequestState.CLOSED),
        [],
    ),
    ("ready for review", replace(QUIET, state=PullRequestState.DRAFT), QUIET, []),
]


@pytest.mark.parametrize(("old", "new", "events"), [m[1:] for m in MOVES], ids=[m[0] for m in MOVES])
def test_each_move_is_told_once_in_these_words(
    old: PullRequest, new: PullRequest, events: list[Told]
) -> None:
    draft = seen(one(old), Seen(new))
    assert told(draft) == events
    assert told(seen(draft.session, Seen(new))) == []


def test_new_comments_are_counted_and_old_ones_not() -> None:
    first, second = (ReviewComment(id=name, author="bo", body="x") for name in ("c1", "c2"))
    draft = seen(one(replace(QUIET, comments=(first,))), Seen(replace(QUIET, comments=(first, second))))
    assert told(draft) == [
        ("review.commented", "1 new review comments", Level.INFO, {"count": 1, "head": ex.HEAD})
    ]


def test_failed_look_keeps_what_was_seen_and_says_why() -> None:
    draft = seen(one(), Unseen("502"))
    assert (now(draft).unseen, now(draft).pr, now(draft).at) == ("502", ex.pull_request(), ex.NOW)
    assert seen(ex.session(), Unseen("502")).session == ex.session()


def test_pull_request_that_the_forge_does_not_show_any_more_is_not_forgotten() -> None:
    words = "the forge does not show this pull request any more"
    draft = seen(one(), Seen(None))
    assert (now(draft).unseen, told(draft)) == (words, [])
    assert now(seen(one(unseen="502"), Seen(None))).unseen == "502"
    merged = one(ex.pull_request(state=PullRequestState.MERGED))
    assert seen(merged, Seen(None)).session == merged
    assert seen(ex.session(), Seen(None)).session == ex.session()


@pytest.mark.parametrize("state", [PullRequestState.MERGED, PullRequestState.CLOSED])
def test_pull_request_that_was_over_before_a_restore_stays_over(state: PullRequestState) -> None:
    restored = ex.session(past=(7,))
    assert seen(restored, Seen(ex.pull_request(state=state))).session == restored
    assert len(seen(restored, Seen(ex.pull_request())).session.changes) == 1
    assert len(seen(restored, Seen(ex.pull_request(number=8, state=state))).session.changes) == 1


def test_red_heads_are_counted_once_each_and_cleared_by_a_green_one() -> None:
    red = seen(one(), Seen(ex.red())).session
    assert now(seen(red, Seen(ex.red()))).red_heads == (ex.HEAD,)
    again = seen(red, Seen(ex.red(ex.OTHER_HEAD))).session
    assert again.changes[0].red_heads == (ex.HEAD, ex.OTHER_HEAD)
    pending = seen(again, Seen(ex.pull_request(checks=Checks.PENDING))).session
    assert pending.changes[0].red_heads == (ex.HEAD, ex.OTHER_HEAD)
    assert now(seen(pending, Seen(ex.pull_request()))).red_heads == ()


def test_failing_runs_are_those_that_failed() -> None:
    runs = tuple(CheckRun(name=state.value, state=state) for state in CheckState)
    assert [run.name for run in changes.failing(ex.pull_request(runs=runs))] == ["failed"]
    draft = seen(ex.session(), Seen(ex.pull_request(checks=Checks.FAILING, runs=(*runs, runs[3]))))
    assert draft.events[-1].data["checks"] == "failed, failed"


APPROVAL = Approval(by=ex.ADA, head=ex.HEAD, at=ex.NOW)
BO = replace(APPROVAL, by=replace(ex.ADA, name="bo"))


@pytest.mark.parametrize(
    ("decision", "approvals", "needed", "enough"),
    [
        (ReviewDecision.PENDING, (), 1, False),
        (ReviewDecision.PENDING, (APPROVAL,), 1, True),
        (ReviewDecision.PENDING, (APPROVAL, APPROVAL), 2, False),
        (ReviewDecision.PENDING, (APPROVAL, BO), 2, True),
        (ReviewDecision.PENDING, (replace(APPROVAL, head=ex.OTHER_HEAD),), 1, False),
        (ReviewDecision.APPROVED, (), 1, True),
        (ReviewDecision.APPROVED, (), 2, False),
        (ReviewDecision.CHANGES_REQUESTED, (APPROVAL,), 1, False),
        (ReviewDecision.CHANGES_REQUESTED, (), 0, False),
        (ReviewDecision.NONE, (), 0, True),
        (ReviewDecision.PENDING, (), 0, False),
        (ReviewDecision.NONE, (), 1, False),
    ],
)
def test_enough_approvals(
    decision: ReviewDecision, approvals: tuple[Approval, ...], needed: int, enough: bool
) -> None:
    change = ex.change(ex.pull_request(decision=decision), approvals=approvals)
    assert changes.approved(change, ex.rules(approvals=needed)) is enough


@pytest.mark.parametrize(
    ("decision", "given", "approvers", "count", "enough"),
    [
        (ReviewDecision.PENDING, (APPROVAL,), {"ada"}, 1, True),
        (ReviewDecision.PENDING, (replace(APPROVAL, by=replace(ex.ADA, name="ADA")),), {"ada"}, 1, True),
        (ReviewDecision.PENDING, (APPROVAL,), {"bo"}, 0, False),
        (ReviewDecision.PENDING, (APPROVAL, BO), {"bo"}, 1, True),
        (ReviewDecision.APPROVED, (), {"bo"}, 0, True),
        (ReviewDecision.APPROVED, (APPROVAL,), {"bo"}, 0, False),
        (ReviewDecision.APPROVED, (replace(APPROVAL, head=ex.OTHER_HEAD),), {"bo"}, 0, True),
        (ReviewDecision.APPROVED, (APPROVAL,), set(), 0, False),
    ],
)  # fmt: skip
def test_an_approval_counts_of_who_may_approve_now(
    decision: ReviewDecision, given: tuple[Approval, ...], approvers: set[str], count: int, enough: bool
) -> None:
    change = ex.change(ex.pull_request(decision=decision), approvals=given)
    rules = ex.rules(approvals=1, approvers=frozenset(approvers))
    assert changes.approvals(change, rules) == count
    assert changes.approved(change, rules) is enough


def test_an_approval_that_does_not_count_is_named() -> None:
    pr = ex.pull_request(decision=ReviewDecision.APPROVED)
    change = ex.change(pr, approvals=(APPROVAL, BO))
    [words] = changes.merge_blockers(change, ex.rules(approvals=1, approvers=frozenset()))
    assert words == (
        "0 of 1 approvals at aaaaaaaaaaaa; that of ada, bo, who may not approve here now, does not count"
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, ()),
        ({"state": PullRequestState.DRAFT}, ("it is a draft",)),
        ({"state": PullRequestState.MERGED}, ("it is merged",)),
        ({"checks": Checks.FAILING}, ("checks fail",)),
        ({"checks": Checks.PENDING}, ("checks run",)),
        ({"decision": ReviewDecision.PENDING}, (f"0 of 1 approvals at {A}",)),
        ({"decision": ReviewDecision.CHANGES_REQUESTED}, ("changes are asked for",)),
        ({"mergeable": Mergeable.CONFLICTED}, ("it conflicts with main",)),
        ({"mergeable": Mergeable.UNKNOWN}, ("the forge has not said yet whether it merges cleanly",)),
        ({"mergeable": Mergeable.BLOCKED, "blockers": ("protected", "frozen")}, ("protected", "frozen")),
    ],
)
def test_each_thing_that_holds_a_merge_has_its_words(
    fields: dict[str, object], words: tuple[str, ...]
) -> None:
    pr = ex.pull_request(**{"decision": ReviewDecision.APPROVED, **fields})
    assert changes.merge_blockers(ex.change(pr), ex.rules()) == words


def test_holder_and_a_failed_look_hold_a_merge() -> None:
    change = ex.change(ex.pull_request(decision=ReviewDecision.APPROVED), unseen="502")
    held = changes.merge_blockers(change, ex.rules(), held_by="ada")
    assert held == ("ada holds it", "the last look failed: 502")


@pytest.mark.parametrize(
    ("checks", "green"),
    [(Checks.NONE, True), (Checks.PASSING, True), (Checks.PENDING, False), (Checks.FAILING, False)],
)
def test_green(checks: Checks, green: bool) -> None:
    assert changes.green(ex.pull_request(checks=checks)) is green


@pytest.mark.parametrize(("asked", "here"), [(ex.HEAD, True), (ex.OTHER_HEAD, None), ("", None)])
def test_what_was_asked_for_here_is_marked_when_the_forge_shows_it(asked: str, here: bool | None) -> None:
    before = ex.change(asked_head=asked, asked_by="bo")
    comment = ReviewComment(id="c1", author="ao-bot", body="a test, please")
    after = replace(before.pr, decision=ReviewDecision.CHANGES_REQUESTED, comments=(comment,))
    draft = seen(ex.session(changes=(before,)), Seen(after))
    marked = {event.type: event.data.get("here") for event in draft.events}
    assert marked == {"review.changes_requested": here, "review.commented": here}
    # a remark that somebody else makes later is news
    other = replace(after, comments=(comment, replace(comment, id="c2", author="cy")))
    later = seen(draft.session, Seen(other))
    assert [event.data.get("here") for event in later.events] == [None]
