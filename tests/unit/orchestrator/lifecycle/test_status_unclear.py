"""An agent of which nobody knows whether it works counts as working only for a while."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.domain.activity import ActivityState
from orchestrator.domain.pull_request import PullRequestState
from orchestrator.domain.session import Change, Work
from orchestrator.domain.status import Status
from orchestrator.lifecycle import status
from orchestrator.testing import examples as ex


def does(state: ActivityState, evidence: str = "hook x", **fields: Any) -> Work:
    return Work(activity=ex.activity(state, evidence=evidence), at=ex.NOW, progress_at=ex.NOW, **fields)


UNKNOWN = does(ActivityState.UNKNOWN, "no pattern fits its screen")
CLOSED = ex.change(ex.pull_request(state=PullRequestState.CLOSED))
READY = ex.change(approvals=(ex.approval(),))
STUCK = "nobody can tell what it does: {}, and nothing moved for 10 min"


@pytest.mark.parametrize(
    ("work", "changes", "after", "expected", "reason"),
    [
        (UNKNOWN, (), 600, Status.WORKING, "no pattern fits its screen"),
        (UNKNOWN, (), 601, Status.STUCK, STUCK.format("no pattern fits its screen")),
        (does(ActivityState.UNKNOWN, ""), (), 600, Status.WORKING, "no source says what the agent does"),
        (does(ActivityState.UNKNOWN, ""), (), 601, Status.STUCK, STUCK.format("no source says anything")),
        (does(ActivityState.EXITED), (), 600, Status.WORKING, "the agent has ended, by its own signal"),
        (
            does(ActivityState.EXITED),
            (),
            601,
            Status.STUCK,
            "the agent said that it ended, and its terminal runs on",
        ),
        (
            does(ActivityState.UNKNOWN, reported_done=True),
            (),
            601,
            Status.DONE,
            "the agent says that it is done",
        ),
        (UNKNOWN, (CLOSED,), 601, Status.IDLE, "#7 was closed without a merge"),
        (UNKNOWN, (READY,), 601, Status.MERGEABLE, "#7 at aaaaaaaaaaaa can be merged"),
    ],
)
def test_it_is_stuck_once_nothing_has_moved_unless_other_facts_say_more(
    work: Work, changes: tuple[Change, ...], after: float, expected: Status, reason: str
) -> None:
    line = status.derive(ex.session(work=work, changes=changes), ex.rules(), ex.NOW + after)
    assert (line.status, line.reason) == (expected, reason)


ODD = Work(
    activity=ex.activity(ActivityState.BUSY, unfamiliar="1. Try it / 2. Stay"), at=ex.NOW, progress_at=ex.NOW
)


def test_screen_that_nobody_understands_calls_a_person_once_it_stays() -> None:
    session, rules = ex.session(work=ODD), ex.rules()
    assert status.derive(session, rules, ex.NOW + status.UNFAMILIAR_FOR).status is Status.WORKING
    line = status.derive(session, rules, ex.NOW + status.UNFAMILIAR_FOR + 1)
    assert line.status is Status.STUCK
    assert line.reason == (
        "its screen is not understood and has not changed for 25 s: 1. Try it / 2. Stay; "
        "`ao output demo-1` shows it, `ao attach demo-1` lets you answer there"
    )


def test_screen_that_nobody_understands_is_in_nobodys_way() -> None:
    ready = ex.session(work=ODD, changes=(READY,))
    assert status.derive(ready, ex.rules(), ex.NOW + 60).status is Status.MERGEABLE
    done = ex.session(work=replace(ODD, reported_done=True))
    assert status.derive(done, ex.rules(), ex.NOW + 60).status is not Status.STUCK
