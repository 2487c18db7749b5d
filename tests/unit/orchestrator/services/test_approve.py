"""Approvals and requests for changes are bound to the head that was shown."""

from __future__ import annotations

import pytest

from orchestrator.domain.person import OWNER
from orchestrator.domain.pull_request import ReviewDecision
from orchestrator.errors import BadInput, Conflict, NotFound
from orchestrator.services.approve import approve, request_changes
from orchestrator.testing import examples as ex
from orchestrator.testing.ring import Ring


async def test_approval_is_kept_audited_and_carried_to_the_forge(ring: Ring) -> None:
    one = await ring.spawn()
    head = await ring.pull_request(one)
    await ring.checks(one, passed=True)
    await approve(ring.core, one, head=head[:10], by=ex.ADA)
    await ring.settle()
    change = ring.session(one).change
    assert change is not None
    assert [(a.by, a.head) for a in change.approvals] == [(ex.ADA, head)]
    assert ring.status(one) == "mergeable"
    (entry,) = await ring.core.store.audit.newest(10)
    assert (entry.by, entry.verb, entry.session, entry.head) == (ex.ADA, "approve", one, head)
    review = ring.scm.pull_of(one).reviews[-1]
    assert (review.author, review.head, review.decision) == ("ada", head, ReviewDecision.APPROVED)


async def test_one_person_counts_once(ring: Ring) -> None:
    ring.rules(approvals=2)
    one = await ring.spawn()
    head = await ring.pull_request(one)
    await ring.checks(one, passed=True)
    for _ in range(2):
        await approve(ring.core, one, head=head, by=ex.ADA)
    await ring.settle()
    assert ring.status(one) == "review_pending"
    assert (await ring.told(one)).count("review.approved_here") == 1
    await approve(ring.core, one, head=head, by=OWNER)
    await ring.settle()
    assert ring.status(one) == "mergeable"


async def test_newer_push_disarms_the_approval(ring: Ring) -> None:
    one = await ring.spawn()
    head = await ring.pull_request(one)
    await approve(ring.core, one, head=head, by=ex.ADA)
    await ring.pull_request(one, text="2")
    await ring.checks(one, passed=True)
    assert ring.status(one) == "review_pending"
    with pytest.raises(Conflict, match="now, not at"):
        await approve(ring.core, one, head=head, by=ex.ADA)


async def test_changes_take_the_own_approval_back_and_reach_the_agent(ring: Ring) -> None:
    one = await ring.spawn()
    head = await ring.pull_request(one)
    await ring.checks(one, passed=True)
    await approve(ring.core, one, head=head, by=ex.ADA)
    await request_changes(ring.core, one, head=head, text="Use a list.", by=ex.ADA)
    await ring.settle()
    change = ring.session(one).change
    assert change is not None
    assert change.approvals == ()
    assert ring.status(one) == "changes_requested"
    assert any("Use a list." in m.text for m in ring.session(one).messages)
    (*_, entry) = await ring.core.store.audit.newest(10)
    assert (entry.verb, entry.text) == ("request-changes", "Use a list.")


async def test_empty_request_for_changes_is_refused(ring: Ring) -> None:
    one = await ring.spawn()
    head = await ring.pull_request(one)
    with pytest.raises(BadInput):
        await request_changes(ring.core, one, head=head, text=" ", by=ex.ADA)


async def test_forge_that_does_not_take_it_is_said_and_ours_is_kept(ring: Ring) -> None:
    one = await ring.spawn()
    head = await ring.pull_request(one)
    ring.scm.fail_next("review", Conflict("the branch is locked"))
    with pytest.raises(Conflict):
        await approve(ring.core, one, head=head, by=ex.ADA)
    change = ring.session(one).change
    assert change is not None
    assert len(change.approvals) == 1


async def test_without_a_pull_request_there_is_nothing_to_approve(ring: Ring) -> None:
    one = await ring.spawn()
    with pytest.raises(NotFound):
        await approve(ring.core, one, head="a" * 40, by=ex.ADA)
