"""An agent of which nobody knows whether it works counts as working only for a while."""

from __future__ import annotations

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
