"""Pushing, merging and telling the tracker: at the head that was meant, once."""

from __future__ import annotations

import asyncio

import pytest

from orchestrator.domain.activity import ActivityState
from orchestrator.domain.ids import SessionId
from orchestrator.domain.message import MessageStage
from orchestrator.domain.person import OWNER
from orchestrator.domain.pull_request import Checks, Mergeable, PullRequestState
from orchestrator.domain.rules import ReactionRule
from orchestrator.domain.session import WantedState
from orchestrator.errors import Conflict, PermanentError, TemporaryError
from orchestrator.lifecycle import acts, forge, merging
from orchestrator.lifecycle.draft import Draft
from orchestrator.services import ended
from orchestrator.services.approve import approve
from orchestrator.services.hold import hold, unhold
from orchestrator.services.merge import merge
from orchestrator.services.send import send
from orchestrator.testing import examples as ex
from orchestrator.testing.ring import Ring

AUTO = ReactionRule(key="approved-and-green", auto=True, action="auto-merge")


async def ready(ring: Ring, issue: str = "1") -> tuple[SessionId, str]:
    """A session whose pull request is green."""
    one = await ring.spawn(issue)
    head = await ring.pull_request(one)
    await ring.checks(one, passed=True)
    return one, head


async def gone(ring: Ring, session: SessionId) -> str:
    """The status with which it ended."""
    return (await ended.one(ring.core, session)).status.status.value


# Pushing ------------------------------------------------------------------------------------------


async def test_commits_are_pushed_when_the_turn_ends_and_not_before(ring: Ring) -> None:
    one, _ = await ready(ring)
    ring.agent.says(one, ActivityState.BUSY)
    await ring.look(one)
    head = await ring.workspace.commit(one, "more.py", "2")
    await ring.look(one)
    assert ring.scm.pull_of(one).head != head
    ring.agent.says(one, ActivityState.IDLE)
    await ring.look(one)
    assert ring.scm.pull_of(one).head == head
    change = ring.session(one).change
    assert change is not None
    assert (change.pr.head, change.pr.checks) == (head, Checks.PENDING)


async def test_nothing_is_pushed_without_a_pull_request(ring: Ring) -> None:
    one = await ring.spawn()
    await ring.workspace.commit(one, "a.py", "1")
    await ring.look(one)
    assert "publish" not in ring.scm.calls


async def test_push_that_is_refused_is_told_once_and_not_repeated_for_that_head(ring: Ring) -> None:
    one, _ = await ready(ring)
    world = ring.fleet.world
    ring.scm.push_from_elsewhere(world.ref(ring.session(one)), "e" * 40)
    await ring.workspace.commit(one, "more.py", "2")
    await ring.look(one)
    await ring.later(120)
    refused = [e for e in await ring.events(one) if e.type == "push.refused"]
    assert [e.level.value for e in refused] == ["action"]
    assert ring.scm.calls.count("publish") == 2


async def test_push_that_fails_for_now_is_tried_again(ring: Ring) -> None:
    one, _ = await ready(ring)
    ring.scm.fail_next("publish", TemporaryError("502"))
    head = await ring.workspace.commit(one, "more.py", "2")
    await ring.look(one)
    await ring.later(10)
    assert ring.scm.pull_of(one).head == head
    assert "push.refused" not in await ring.told(one)


async def test_workspace_that_cannot_be_seen_or_is_gone_is_said_so(ring: Ring) -> None:
    one = await ring.spawn()
    ring.workspace.unreadable[one] = "stale handle"
    with pytest.raises(TemporaryError, match="stale handle"):
        await forge.look_at_workspace(ring.fleet, ring.session(one))
    ring.workspace.unreadable.clear()
    ring.workspace.trees.clear()
    with pytest.raises(PermanentError, match="gone"):
        await forge.look_at_workspace(ring.fleet, ring.session(one))


# Merging ------------------------------------------------------------------------------------------


async def test_merge_is_of_the_head_that_was_shown(ring: Ring) -> None:
    ring.rules(approvals=0, merge_method="rebase")
    one, head = await ready(ring)
    await merge(ring.core, one, head=head, by=OWNER)
    await ring.settle()
    assert ring.scm.forge.merges == [("demo", 1, head, "rebase")]
    assert await gone(ring, one) == "merged"
    assert (await ring.told(one)).count("pr.merged") == 1


async def test_head_that_moved_on_the_forge_is_not_merged(ring: Ring) -> None:
    ring.rules(approvals=0)
    one, head = await ready(ring)
    ring.scm.push_from_elsewhere(ring.fleet.world.ref(ring.session(one)), "e" * 40)
    await merge(ring.core, one, head=head, by=OWNER)
    await ring.settle()
    assert ring.scm.forge.merges == []
    assert (await ring.told(one)).count("merge.refused") == 1
    assert ring.session(one).intents == ()
    assert ring.status(one) != "merging"


async def test_forge_that_is_down_is_asked_again(ring: Ring) -> None:
    ring.rules(approvals=0)
    one, head = await ready(ring)
    ring.scm.fail_next("merge", TemporaryError("503"))
    await merge(ring.core, one, head=head, by=OWNER)
    await ring.settle()
    assert ring.status(one) == "merging"
    await ring.later(10)
    assert await gone(ring, one) == "merged"


@pytest.mark.parametrize("merged", [True, False])
async def test_crash_while_merging_merges_once(ring: Ring, merged: bool) -> None:
    ring.rules(approvals=0)
    one, head = await ready(ring)
    real, reached = ring.scm.merge, asyncio.Event()

    async def die(session, head, method, title="", *, as_=None):  # type: ignore[no-untyped-def]
        if merged:
            await real(session, head, method, title)
        reached.set()
        await asyncio.Event().wait()

    ring.scm.merge = die  # type: ignore[method-assign]
    await merge(ring.core, one, head=head, by=OWNER)
    await asyncio.wait_for(reached.wait(), 5)
    ring.scm.merge = real  # type: ignore[method-assign]
    again = await ring.crash()
    await again.later(10)
    assert again.scm.forge.merges == [("demo", 1, head, "squash")]
    assert await gone(again, one) == "merged"
    assert (await again.told(one)).count("pr.merged") == 1


async def test_merge_on_the_forge_itself_is_noticed(ring: Ring) -> None:
    one, _ = await ready(ring)
    ring.scm.set_pull(one, state=PullRequestState.MERGED, merge_commit="d" * 40)
    await ring.look(one)
    assert await gone(ring, one) == "merged"


# A merge that is taken back ------------------------------------------------------------------------


async def asked_while_down(ring: Ring) -> tuple[SessionId, str]:
    """A session whose merge the forge did not answer."""
    ring.rules(approvals=0)
    one, head = await ready(ring)
    ring.scm.fail_next("merge", TemporaryError("503"))
    await merge(ring.core, one, head=head, by=OWNER)
    await ring.settle()
    assert ring.status(one) == "merging"
    return one, head


async def test_hold_takes_back_a_merge_that_the_forge_has_not_done(ring: Ring) -> None:
    one, head = await asked_while_down(ring)
    await hold(ring.core, one, by=ex.ADA)
    await ring.settle()
    assert ring.status(one) == "approved"
    assert ring.session(one).intents == ()
    await unhold(ring.core, one, by=ex.ADA)
    await ring.later(600)
    assert ring.scm.forge.merges == []
    assert (await ring.told(one)).count("merge.taken_back") == 1
    await merge(ring.core, one, head=head, by=OWNER)
    await ring.settle()
    assert await gone(ring, one) == "merged"


async def test_hold_before_the_forge_was_asked_is_in_time(ring: Ring) -> None:
    ring.rules(approvals=0)
    one, head = await ready(ring)
    asked = Draft(ring.session(one), ring.clock.now())
    merging.ask(asked, head, by="owner")
    await hold(ring.core, one, by=ex.ADA)
    # The act was due when it was planned, and the hold came before it began.
    await forge.merge(ring.fleet, asked.session, acts.Merge(head=head))
    assert "merge" not in ring.scm.calls
    assert ring.session(one).intents == ()


async def test_merge_that_came_through_although_nobody_heard_of_it_is_found_and_not_taken_back(
    ring: Ring,
) -> None:
    ring.rules(approvals=0)
    one, head = await ready(ring)
    real = ring.scm.merge

    async def unheard(session, head, method, title="", *, as_=None):  # type: ignore[no-untyped-def]
        await real(session, head, method, title)
        await hold(ring.core, one, by=ex.ADA)
        msg = "connection reset"
        raise TemporaryError(msg)

    ring.scm.merge = unheard  # type: ignore[method-assign]
    await merge(ring.core, one, head=head, by=OWNER)
    await ring.settle()
    told = await ring.told(one)
    assert (told.count("pr.merged"), told.count("merge.taken_back")) == (1, 0)
    assert await gone(ring, one) == "merged"


async def test_nobody_says_that_it_was_taken_back_while_the_forge_shows_nothing(ring: Ring) -> None:
    one, _ = await asked_while_down(ring)
    ring.scm.hide(one, "503")
    await hold(ring.core, one, by=ex.ADA)
    await ring.later(30)
    assert ring.status(one) == "merging"
    assert ring.session(one).status.reason.startswith("ada took the merge of ")
    again = await ring.crash()
    again.scm.hide(one)
    await again.later(300)
    assert again.status(one) == "approved"
    assert again.scm.calls.count("merge") == 1


async def test_rule_whose_merge_was_held_merges_after_the_hold(ring: Ring) -> None:
    ring.rules(reactions={AUTO.key: AUTO}, approvals=0)
    one = await ring.spawn()
    await ring.pull_request(one)
    ring.scm.fail_next("merge", TemporaryError("503"))
    await ring.checks(one, passed=True)
    await hold(ring.core, one, by=ex.ADA)
    await ring.later(60)
    assert ring.scm.forge.merges == []
    await unhold(ring.core, one, by=ex.ADA)
    await ring.later(60)
    assert await gone(ring, one) == "merged"


async def test_agent_is_told_and_answered_while_a_merge_waits_for_the_forge(ring: Ring) -> None:
    one, _ = await asked_while_down(ring)
    message = await send(ring.core, one, "look at the docs too", by=ex.ADA)
    await ring.settle()
    assert [m.stage for m in ring.session(one).messages if m.number == message.number] == [
        MessageStage.ANSWERED
    ]
    assert ring.status(one) == "merging"


# Auto-merge ---------------------------------------------------------------------------------------


async def test_auto_merge_merges_when_every_condition_holds(ring: Ring) -> None:
    ring.rules(reactions={AUTO.key: AUTO}, approvals=1)
    one, head = await ready(ring)
    assert ring.status(one) == "review_pending"
    await approve(ring.core, one, head=head, by=ex.ADA)
    await ring.settle()
    assert ring.scm.forge.merges == [("demo", 1, head, "squash")]
    assert await gone(ring, one) == "merged"


async def test_auto_merge_waits_for_hold_checks_and_a_clean_merge(ring: Ring) -> None:
    ring.rules(reactions={AUTO.key: AUTO}, approvals=0)
    one = await ring.spawn()
    await hold(ring.core, one, by=ex.ADA)
    head = await ring.pull_request(one)
    await ring.checks(one, passed=True)
    assert "ada holds it" in ring.session(one).status.reason
    await ring.checks(one, passed=False, tail="E")
    await unhold(ring.core, one, by=ex.ADA)
    await ring.settle()
    ring.scm.set_pull(one, mergeable=Mergeable.CONFLICTED)
    await ring.checks(one, passed=True)
    assert ring.scm.forge.merges == []
    ring.scm.set_pull(one, mergeable=Mergeable.UNKNOWN)
    await ring.look(one)
    assert [m[2] for m in ring.scm.forge.merges] == [head]


async def test_auto_merge_that_is_refused_is_not_repeated_for_that_head(ring: Ring) -> None:
    ring.rules(reactions={AUTO.key: AUTO}, approvals=0)
    one = await ring.spawn()
    await ring.pull_request(one)
    ring.scm.fail_next("merge", PermanentError("the base is protected"))
    await ring.checks(one, passed=True)
    await ring.later(120)
    assert ring.scm.calls.count("merge") == 1
    assert (await ring.told(one)).count("merge.refused") == 1
    await ring.pull_request(one, text="2")
    await ring.checks(one, passed=True)
    assert await gone(ring, one) == "merged"


async def test_branch_that_cannot_be_removed_is_tried_again(ring: Ring) -> None:
    ring.rules(approvals=0)
    one, head = await ready(ring)
    ring.scm.fail_next("close", Conflict("locked"))
    await merge(ring.core, one, head=head, by=OWNER)
    await ring.settle()
    assert ring.session(one).wanted.state is WantedState.STOP
    await ring.later(200)
    assert await gone(ring, one) == "merged"
    assert ("demo", "feat/issue-1") not in ring.scm.forge.branches
