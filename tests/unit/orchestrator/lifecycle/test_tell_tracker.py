"""Telling the tracker: whose turn it is, what a merge does to the issue, and what people decided there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.ids import ProjectId, SessionId, short_sha
from orchestrator.domain.issue import IssueState
from orchestrator.domain.person import OWNER
from orchestrator.errors import TemporaryError
from orchestrator.ports.tracker import IssueChange
from orchestrator.services import ended
from orchestrator.services.kill import kill
from orchestrator.services.merge import merge
from orchestrator.testing.ring import Ring


async def ready(ring: Ring, issue: str = "1") -> tuple[SessionId, str]:
    """A session whose pull request is green."""
    one = await ring.spawn(issue)
    head = await ring.pull_request(one)
    await ring.checks(one, passed=True)
    return one, head


async def gone(ring: Ring, session: SessionId) -> str:
    """The status with which it ended."""
    return (await ended.one(ring.core, session)).status.status.value


async def test_tracker_that_fails_is_told_later_and_one_that_lost_the_issue_is_let_be(ring: Ring) -> None:
    ring.agent.slow = True
    one = await ring.spawn()
    ring.agent.finish(one)
    await ring.look(one)
    assert ring.session(one).issue_told == "in_progress"
    del ring.tracker.issues["demo", "1"]
    ring.rules(approvals=0)
    head = await ring.pull_request(one)
    await ring.checks(one, passed=True)
    await merge(ring.core, one, head=head, by=OWNER)
    await ring.later(10)
    assert await gone(ring, one) == "merged"
    assert (await ring.told(one)).count("tracker.refused") == 1


async def test_tracker_that_is_down_does_not_hold_the_end_up_for_ever(ring: Ring) -> None:
    ring.rules(approvals=0)
    one, head = await ready(ring)
    ring.tracker.fail_next(TemporaryError("503"))
    await merge(ring.core, one, head=head, by=OWNER)
    await ring.later(30)
    assert ring.tracker.issues["demo", "1"].state.value == "closed"
    assert await gone(ring, one) == "merged"


async def test_issue_says_whose_turn_it_is(ring: Ring) -> None:
    one, _ = await ready(ring)
    shown = [ring.tracker.issues["demo", "1"].state]
    await ring.pull_request(one, text="2")
    await ring.checks(one, passed=False, tail="assert 1 == 2")
    shown.append(ring.tracker.issues["demo", "1"].state)
    assert shown == [IssueState.IN_REVIEW, IssueState.IN_PROGRESS]


@pytest.mark.parametrize(
    ("how", "state", "comments", "said"),
    [
        ("close", IssueState.CLOSED, 0, "issue 1 is closed"),
        ("comment", IssueState.OPEN, 1, "issue 1 stays open and was told of the merge"),
        ("leave", IssueState.OPEN, 0, "issue 1 stays open"),
    ],
)
async def test_what_a_merge_does_to_the_issue_is_configured_and_said(
    ring: Ring, how: str, state: IssueState, comments: int, said: str
) -> None:
    ring.rules(approvals=0, on_merge=how)
    one, head = await ready(ring)
    await merge(ring.core, one, head=head, by=OWNER)
    await ring.settle()
    issue = ring.tracker.issues["demo", "1"]
    assert (issue.state, len(issue.comments)) == (state, comments)
    assert [e.text for e in await ring.events(one) if e.type == "issue.told"] == [said]
    if comments:
        assert issue.comments[0].body == f"#1 is merged into main at {short_sha(head)} (session {one})."


@pytest.mark.parametrize("how", ["comment", "leave"])
async def test_issue_that_the_forge_closed_by_itself_is_not_opened_again(ring: Ring, how: str) -> None:
    ring.rules(approvals=0, on_merge=how)
    one, head = await ready(ring)
    issue = ring.tracker.issues["demo", "1"]
    ring.tracker.issues["demo", "1"] = replace(issue, state=IssueState.CLOSED)  # "Closes #1"
    await merge(ring.core, one, head=head, by=OWNER)
    await ring.settle()
    assert ring.tracker.issues["demo", "1"].state is IssueState.CLOSED


async def test_merge_is_commented_once_although_ao_was_killed_before_it_knew(ring: Ring) -> None:
    ring.rules(approvals=0, on_merge="comment")
    one, head = await ready(ring)
    said = f"#1 is merged into main at {short_sha(head)} (session {one})."
    await ring.tracker.update(ring.core.settings.project(ProjectId("demo")), "1", IssueChange(comment=said))
    await merge(ring.core, one, head=head, by=OWNER)
    await ring.settle()
    assert [comment.body for comment in ring.tracker.issues["demo", "1"].comments] == [said]


async def test_issue_that_people_closed_stays_closed_when_its_session_ends(ring: Ring) -> None:
    one = await ring.spawn()
    issue = ring.tracker.issues["demo", "1"]
    ring.tracker.issues["demo", "1"] = replace(issue, state=IssueState.CANCELLED)
    await kill(ring.core, one, by=OWNER)
    await ring.settle()
    assert ring.tracker.issues["demo", "1"].state is IssueState.CANCELLED
