"""The end of a session: nothing is removed that is not saved, and what failed is tried again."""

from __future__ import annotations

import asyncio

import pytest

from orchestrator.domain.activity import ActivityState
from orchestrator.domain.ids import SessionId
from orchestrator.domain.issue import IssueState
from orchestrator.domain.message import MessageStage
from orchestrator.domain.person import OWNER
from orchestrator.domain.pull_request import PullRequestState
from orchestrator.domain.session import WantedState
from orchestrator.errors import AoError, PermanentError, TemporaryError
from orchestrator.lifecycle.agent_requests import AgentRequests
from orchestrator.lifecycle.changes import PUBLISHING
from orchestrator.services import ended
from orchestrator.services.kill import kill
from orchestrator.services.merge import merge
from orchestrator.services.send import send
from orchestrator.services.spawn import SpawnAsk, spawn
from orchestrator.testing.ring import Ring


async def end(ring: Ring, session: SessionId) -> None:
    await kill(ring.core, session, by=OWNER)
    await ring.settle()


def is_gone(ring: Ring, session: SessionId) -> bool:
    return session not in {s.id for s in ring.fleet.all()}


async def test_uncommitted_work_is_saved_before_anything_is_removed(ring: Ring) -> None:
    one = await ring.spawn()
    await ring.workspace.edit(one, "new.py", "x = 1\n")
    await end(ring, one)
    kept = await ended.one(ring.core, one)
    assert [r.ref for r in kept.rescues] == [f"refs/ao/rescue/{one}/1"]
    assert kept.rescues[0].summary == "1 uncommitted file, 0 unpushed commits"
    assert one not in ring.workspace.trees
    order = [t for t in await ring.told(one) if t in {"rescue.saved", "workspace.removed", "session.ended"}]
    assert order == ["rescue.saved", "workspace.removed", "session.ended"]


async def test_session_without_work_leaves_no_rescue_and_no_terminal(ring: Ring) -> None:
    one = await ring.spawn()
    await end(ring, one)
    assert "rescue.saved" not in await ring.told(one)
    assert (ring.runtime.terminals, ring.workspace.trees) == ({}, {})
    assert is_gone(ring, one)


@pytest.mark.parametrize("error", [TemporaryError("no"), PermanentError("no"), AoError("no")])
async def test_work_that_cannot_be_saved_is_not_removed(ring: Ring, error: AoError) -> None:
    one = await ring.spawn()
    await ring.workspace.edit(one, "new.py", "x = 1\n")
    ring.workspace.fail_next("save", error)
    await end(ring, one)
    assert one in ring.workspace.trees
    assert "remove" not in ring.workspace.calls
    assert "clean-up waits: no" in ring.session(one).status.reason
    assert (await ring.told(one)).count("cleanup.delayed") == 1
    await ring.later(120)
    assert (await ended.one(ring.core, one)).rescues
    assert is_gone(ring, one)


@pytest.mark.parametrize("step", ["remove", "save"])
async def test_clean_up_that_failed_is_tried_again_and_told_once(ring: Ring, step: str) -> None:
    one = await ring.spawn()
    for _ in range(3):
        ring.workspace.fail_next(step, TemporaryError("busy"))
    await end(ring, one)
    assert not is_gone(ring, one)
    await ring.later(60)
    assert is_gone(ring, one)
    assert (await ring.told(one)).count("cleanup.delayed") == 1


async def test_terminal_that_does_not_end_is_tried_again(ring: Ring) -> None:
    one = await ring.spawn()
    ring.runtime.fail_next(TemporaryError("tmux does not answer"))
    await end(ring, one)
    await ring.later(60)
    assert is_gone(ring, one)
    assert one in ring.runtime.stops


async def test_clean_up_that_failed_is_tried_again_after_a_restart(ring: Ring) -> None:
    one = await ring.spawn()
    ring.workspace.fail_next("remove", TemporaryError("busy"))
    await end(ring, one)
    again = await ring.crash()
    await again.later(60)
    assert is_gone(again, one)


async def test_work_that_appears_after_it_was_saved_is_saved_again(ring: Ring) -> None:
    one = await ring.spawn()
    await ring.workspace.edit(one, "new.py", "1")
    ring.workspace.fail_next("remove", TemporaryError("busy"))
    await end(ring, one)
    await ring.workspace.edit(one, "new.py", "2")
    await ring.later(60)
    assert is_gone(ring, one)
    refs = [r.ref for r in (await ended.one(ring.core, one)).rescues]
    assert refs == [f"refs/ao/rescue/{one}/1", f"refs/ao/rescue/{one}/2"]
    assert ring.workspace.history.kept[refs[1]].files["new.py"] == b"2"
    assert (await ring.told(one)).count("rescue.saved") == 2


async def test_merged_session_waits_for_a_busy_agent_and_then_ends(ring: Ring) -> None:
    one = await ring.spawn()
    await ring.pull_request(one)
    await ring.checks(one, passed=True)
    ring.agent.says(one, ActivityState.BUSY)
    ring.scm.set_pull(one, state=PullRequestState.MERGED, merge_commit="c" * 40)
    await ring.look(one)
    assert ring.status(one) == "merged"
    assert one in ring.workspace.trees
    await ring.later(270)
    assert not is_gone(ring, one)
    await ring.later(60)
    assert is_gone(ring, one)
    assert "session.errored" not in await ring.told(one)


async def test_merged_session_ends_as_soon_as_its_agent_rests_also_after_a_restart(ring: Ring) -> None:
    one = await ring.spawn()
    await ring.pull_request(one)
    ring.agent.says(one, ActivityState.BUSY)
    ring.scm.set_pull(one, state=PullRequestState.MERGED, merge_commit="c" * 40)
    await ring.look(one)
    again = await ring.crash()
    assert not is_gone(again, one)
    ring.agent.says(one, ActivityState.IDLE)
    await again.later(10)
    assert is_gone(again, one)


async def test_clean_up_after_a_merge_can_be_off(ring: Ring) -> None:
    ring.rules(cleanup_on_merge=False, approvals=0)
    one = await ring.spawn()
    head = await ring.pull_request(one)
    await ring.checks(one, passed=True)
    await merge(ring.core, one, head=head, by=OWNER)
    await ring.later(600)
    assert ring.status(one) == "merged"
    assert one in ring.workspace.trees


async def test_manual_kill_is_called_so_and_raises_no_alarm(ring: Ring) -> None:
    one = await ring.spawn()
    ring.workspace.fail_next("remove", TemporaryError("busy"))
    await end(ring, one)
    await ring.look()
    session = ring.session(one)
    assert (session.status.status.value, session.wanted.by) == ("killed", OWNER)
    await ring.later(60)
    loud = [e.type for e in await ring.events(one) if e.level in {"urgent", "action"}]
    assert loud == []
    assert (await ended.one(ring.core, one)).status.reason == "ended by owner"


async def test_issue_is_told_how_the_session_ended(ring: Ring) -> None:
    one, two = await ring.spawn("1"), await ring.spawn("2")
    states = [ring.tracker.issues["demo", "1"].state]
    await end(ring, one)
    states.append(ring.tracker.issues["demo", "1"].state)
    assert states == [IssueState.IN_PROGRESS, IssueState.OPEN]
    ring.rules(approvals=0)
    head = await ring.pull_request(two)
    await ring.checks(two, passed=True)
    await merge(ring.core, two, head=head, by=OWNER)
    await ring.settle()
    assert ring.tracker.issues["demo", "2"].state is IssueState.CLOSED
    assert is_gone(ring, two)


async def test_kill_leaves_the_pull_request_and_its_branch_a_merge_takes_the_branch(ring: Ring) -> None:
    ring.rules(approvals=0)
    one, two = await ring.spawn("1"), await ring.spawn("2")
    await ring.pull_request(one)
    head = await ring.pull_request(two)
    await ring.checks(two, passed=True)
    await end(ring, one)
    await merge(ring.core, two, head=head, by=OWNER)
    await ring.settle()
    assert ("demo", "feat/issue-1") in ring.scm.forge.branches
    assert ("demo", "feat/issue-2") not in ring.scm.forge.branches
    assert ring.scm.pull_of(one).state is PullRequestState.OPEN


async def test_kill_while_it_is_being_set_up_ends_it(ring: Ring) -> None:
    ring.workspace.gates["create"] = asyncio.Event()
    made = await spawn(ring.core, SpawnAsk(project="demo", issue="1"), by=OWNER)
    await ring.rounds.round()
    await kill(ring.core, made.id, by=OWNER)
    await ring.settle()
    assert is_gone(ring, made.id)


# What still goes on after a merge ------------------------------------------------------------------


async def merged_while_busy(ring: Ring) -> SessionId:
    """Its pull request is merged, and its agent works on."""
    one = await ring.spawn()
    await ring.pull_request(one)
    ring.agent.says(one, ActivityState.BUSY)
    await ring.look(one)
    ring.scm.set_pull(one, state=PullRequestState.MERGED, merge_commit="c" * 40)
    await ring.look(one)
    assert ring.status(one) == "merged"
    return one


async def test_agent_that_works_on_after_a_merge_opens_another_pull_request(ring: Ring) -> None:
    one = await merged_while_busy(ring)
    head = await ring.pull_request(one, text="2")
    change = ring.session(one).change
    assert change is not None
    assert (ring.status(one), change.pr.number, change.pr.head) == ("pr_open", 2, head)
    assert (await ring.told(one)).count("pr.opened") == 2
    await ring.later(400)
    assert (ring.status(one), ring.scm.pull_of(one).state) == ("pr_open", PullRequestState.OPEN)
    ring.agent.says(one, ActivityState.IDLE)
    await ring.checks(one, passed=True)
    ring.scm.set_pull(one, state=PullRequestState.MERGED, merge_commit="d" * 40)
    await ring.look(one)
    assert is_gone(ring, one)
    assert ring.tracker.issues["demo", "1"].state is IssueState.CLOSED


async def test_clean_up_after_a_merge_does_not_race_the_next_pull_request(ring: Ring) -> None:
    one = await merged_while_busy(ring)
    await ring.fleet.change(one, lambda d: d.open_intent(PUBLISHING))
    ring.agent.says(one, ActivityState.IDLE)
    await ring.look(one)
    assert ring.session(one).wanted.state is WantedState.RUN
    await ring.later(310)
    assert is_gone(ring, one)


async def test_request_of_a_session_that_is_over_is_refused_in_words(ring: Ring) -> None:
    one = await merged_while_busy(ring)
    ring.workspace.fail_next("save", TemporaryError("busy"))
    await kill(ring.core, one, by=OWNER)
    await ring.settle()
    await ring.workspace.commit(one, "hello.py", "2")
    name = ring.ask(one, "pr", "create")
    await AgentRequests(ring.fleet).take(ring.session(one))
    assert "this session is over" in ring.answer(one, name)
    assert ring.scm.pull_of(one).number == 1


async def test_end_of_a_session_settles_every_message(ring: Ring) -> None:
    one = await ring.spawn()
    ring.agent.slow = True
    first = await send(ring.core, one, "do it", by=OWNER)
    await ring.settle()
    second = await send(ring.core, one, "and that", by=OWNER)
    await end(ring, one)
    kept = await ended.one(ring.core, one)
    stages = {m.number: (m.stage, m.reason) for m in kept.messages}
    words = "the session ended before it was answered"
    assert stages[first.number] == stages[second.number] == (MessageStage.FAILED, words)
    failed = [e for e in await ring.events(one) if e.type == "message.failed"]
    assert [e.data["number"] for e in failed] == [first.number, second.number]
