"""A merge that the forge makes in its turn: said, followed, taken back, and never of another head."""

from __future__ import annotations

from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import OWNER
from orchestrator.domain.pull_request import PullRequestState
from orchestrator.domain.status import Status
from orchestrator.lifecycle import merging
from orchestrator.lifecycle.draft import Draft
from orchestrator.services import ended
from orchestrator.services.approve import approve
from orchestrator.services.hold import hold
from orchestrator.services.kill import kill
from orchestrator.services.merge import merge
from orchestrator.testing import examples as ex
from orchestrator.testing.ring import Ring

WAITS = "in the merge queue of main, place 2"


async def queued(ring: Ring) -> tuple[SessionId, str]:
    """A session whose merge was clicked and waits in the forge's queue."""
    one = await ring.spawn()
    head = await ring.pull_request(one)
    await ring.checks(one, passed=True)
    await approve(ring.core, one, head=head, by=OWNER)
    ring.scm.queue = WAITS
    await merge(ring.core, one, head=head, by=OWNER)
    await ring.look(one)
    return one, head


async def kinds(ring: Ring, session: SessionId) -> list[str]:
    return [event.type for event in await ring.events(session)]


async def test_the_status_says_where_it_waits_and_the_forge_is_not_asked_again(ring: Ring) -> None:
    one, _ = await queued(ring)
    await ring.later(300)
    status = ring.session(one).status
    assert (status.status, status.reason.rpartition(": ")[2]) == (Status.MERGING, WAITS)
    assert ring.scm.calls.count("merge") == 1
    assert (await kinds(ring, one)).count("merge.queued") == 1


async def test_once_its_turn_has_come_it_is_merged_by_whoever_clicked(ring: Ring) -> None:
    one, head = await queued(ring)
    ring.scm.merge_queued(one)
    await ring.look(one)
    over = await ended.one(ring.core, one)
    assert over.change is not None
    assert (over.change.pr.state, over.change.pr.head) == (PullRequestState.MERGED, head)
    assert over.change.merged_by == str(OWNER)
    assert ring.scm.calls.count("merge") == 1


async def test_what_the_forge_throws_out_of_its_queue_is_told_and_may_be_merged_again(ring: Ring) -> None:
    one, head = await queued(ring)
    await ring.look(one)
    ring.scm.set_pull(one, queued=False)
    await ring.look(one)
    assert "merge.dropped" in await kinds(ring, one)
    assert ring.session(one).status.status is Status.MERGEABLE
    await merge(ring.core, one, head=head, by=OWNER)
    await ring.look(one)
    assert ring.session(one).status.status is Status.MERGING


def test_a_queue_that_shows_late_is_not_taken_for_dropped() -> None:
    change = ex.change()
    draft = Draft(ex.session(changes=(change,)), ex.NOW)
    merging.ask(draft, change.pr.head, by="bo")
    merging.queue(draft, change.pr.head, WAITS)
    draft.now += merging.SHOWN_WITHIN
    merging.follow(draft)
    assert merging.intent_of(draft.session) is not None
    draft.now += 1
    merging.follow(draft)
    assert merging.intent_of(draft.session) is None
    assert draft.events[-1].type == "merge.dropped"


async def test_hold_takes_it_out_of_the_queue(ring: Ring) -> None:
    one, _ = await queued(ring)
    await hold(ring.core, one, by=OWNER)
    await ring.look(one)
    assert "leave_queue" in ring.scm.calls
    assert not ring.scm.pull_of(one).queued
    assert "merge.taken_back" in await kinds(ring, one)


async def test_whoever_ends_the_session_takes_it_out_of_the_queue(ring: Ring) -> None:
    one, _ = await queued(ring)
    await kill(ring.core, one, by=OWNER)
    await ring.settle()
    assert not ring.scm.pull_of(one).queued
    assert (await ended.one(ring.core, one)).change is not None


async def test_a_newer_head_is_taken_out_of_the_queue_since_nobody_saw_it(ring: Ring) -> None:
    one, _ = await queued(ring)
    ring.scm.push_from_elsewhere(ring.fleet.world.ref(ring.session(one)), "e" * 40)
    await ring.look(one)
    await ring.look(one)
    assert not ring.scm.pull_of(one).queued
    assert merging.intent_of(ring.session(one)) is None


async def test_what_the_agent_pushes_by_itself_is_not_merged_in_its_place(ring: Ring) -> None:
    one, _ = await queued(ring)
    head = await ring.workspace.commit(one, "more.py", "2")
    request = ring.ask(one, "push", head, "refs/heads/feat/issue-1")
    await ring.settle()
    assert ring.answer(one, request) == "0\npushed\n"
    assert ring.scm.calls.index("leave_queue") < len(ring.scm.calls) - 1 - ring.scm.calls[::-1].index(
        "publish"
    )
    await ring.look(one)
    assert merging.intent_of(ring.session(one)) is None
    assert not ring.scm.pull_of(one).queued


async def test_while_it_is_queued_nothing_is_pushed_that_would_throw_it_out(ring: Ring) -> None:
    one, head = await queued(ring)
    await ring.workspace.commit(one, "more.py", "2")
    await ring.look(one)
    assert ring.scm.pull_of(one).head == head
