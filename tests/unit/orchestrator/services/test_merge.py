"""A person's merge: refused with every reason, asked for once, audited."""

from __future__ import annotations

import pytest

from orchestrator.domain.person import OWNER
from orchestrator.errors import Conflict, NotFound, TemporaryError
from orchestrator.lifecycle.queue import Room
from orchestrator.services import ended
from orchestrator.services.hold import hold, unhold
from orchestrator.services.kill import kill
from orchestrator.services.merge import merge
from orchestrator.services.restore import restore
from orchestrator.testing import examples as ex
from orchestrator.testing.ring import Ring


async def test_refusal_names_everything_that_holds_it(ring: Ring) -> None:
    one = await ring.spawn()
    head = await ring.pull_request(one)
    await hold(ring.core, one, by=ex.ADA)
    with pytest.raises(Conflict) as refused:
        await merge(ring.core, one, head=head, by=OWNER)
    for reason in ("checks run", "0 of 1 approvals", "ada holds it"):
        assert reason in refused.value.what
    assert ring.session(one).intents == ()


async def test_newer_push_disarms_the_button(ring: Ring) -> None:
    ring.rules(approvals=0)
    one = await ring.spawn()
    head = await ring.pull_request(one)
    await ring.pull_request(one, text="2")
    await ring.checks(one, passed=True)
    with pytest.raises(Conflict, match="now, not at"):
        await merge(ring.core, one, head=head, by=OWNER)


async def test_second_click_says_who_was_first(ring: Ring) -> None:
    ring.rules(approvals=0)
    one = await ring.spawn()
    head = await ring.pull_request(one)
    await ring.checks(one, passed=True)
    ring.scm.fail_next("merge", TemporaryError("503"))
    await merge(ring.core, one, head=head, by=ex.ADA)
    with pytest.raises(Conflict, match="ada merges it already"):
        await merge(ring.core, one, head=head, by=OWNER)
    (entry,) = await ring.core.store.audit.newest(10)
    assert (entry.by, entry.verb, entry.head) == (ex.ADA, "merge", head)


async def test_session_that_waits_in_the_queue_after_a_restore_can_be_merged(ring: Ring) -> None:
    ring.rules(approvals=0)
    one = await ring.spawn()
    head = await ring.pull_request(one)
    await ring.checks(one, passed=True)
    await kill(ring.core, one, by=OWNER)
    await ring.settle()
    ring.room.append(Room(sessions=0))
    await restore(ring.core, one, by=OWNER)
    await ring.settle()
    assert ring.status(one) == "queued"
    await merge(ring.core, one, head=head, by=OWNER)
    await ring.settle()
    assert len(ring.scm.forge.merges) == 1
    assert (await ended.one(ring.core, one)).status.status.value == "merged"


async def test_hold_keeps_its_first_holder_and_can_be_released(ring: Ring) -> None:
    ring.rules(approvals=0)
    one = await ring.spawn()
    head = await ring.pull_request(one)
    await ring.checks(one, passed=True)
    await hold(ring.core, one, by=ex.ADA)
    await hold(ring.core, one, by=OWNER)
    assert ring.session(one).hold == ex.ADA
    for _ in range(2):
        await unhold(ring.core, one, by=OWNER)
    told = await ring.told(one)
    assert (told.count("merge.held"), told.count("merge.released")) == (1, 1)
    await merge(ring.core, one, head=head, by=OWNER)


async def test_no_pull_request(ring: Ring) -> None:
    with pytest.raises(NotFound):
        await merge(ring.core, await ring.spawn(), head="a" * 40, by=OWNER)
