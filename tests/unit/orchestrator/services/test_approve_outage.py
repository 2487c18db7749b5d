"""What a person says of a pull request while the forge does not answer gets there once it does."""

from __future__ import annotations

import pytest

from orchestrator.domain.ids import SessionId, short_sha
from orchestrator.domain.person import OWNER
from orchestrator.domain.pull_request import ReviewDecision
from orchestrator.domain.uncarried import UncarriedReview
from orchestrator.errors import Conflict, PermanentError, TemporaryError
from orchestrator.lifecycle import uncarried
from orchestrator.services.approve import approve, request_changes, waits
from orchestrator.services.kill import kill
from orchestrator.testing import examples as ex
from orchestrator.testing.ring import Ring

DOWN = "The forge answered 502."


async def _ready(ring: Ring) -> tuple[SessionId, str]:
    one = await ring.spawn()
    head = await ring.pull_request(one)
    await ring.checks(one, passed=True)
    return one, head


def _outage(ring: Ring, times: int = 1) -> None:
    for _ in range(times):
        ring.scm.fail_next("review", TemporaryError(DOWN, delay=30))


async def test_an_approval_is_carried_as_soon_as_the_forge_answers(ring: Ring) -> None:
    one, head = await _ready(ring)
    _outage(ring, 3)
    session = await approve(ring.core, one, head=head, by=ex.ADA)
    assert waits(session, ex.ADA)
    assert session.change is not None
    assert [a.carried for a in session.change.approvals] == [uncarried.WAITING]
    await ring.settle()
    assert ring.scm.pull_of(one).reviews == ()
    await ring.later(300)
    (review,) = ring.scm.pull_of(one).reviews
    assert (review.author, review.decision) == ("ada", ReviewDecision.APPROVED)
    after = ring.session(one)
    assert after.change is not None
    assert (after.change.uncarried, [a.carried for a in after.change.approvals]) == ((), [""])
    told = await ring.told(one)
    assert [told.count(f"review.{k}") for k in ("approved_here", "waits", "carried")] == [1, 1, 1]
    (waiting,) = [e for e in await ring.events(one) if e.type == "review.waits"]
    assert "it is carried there as soon as it does" in waiting.text
    assert "502" in waiting.text


async def test_words_that_ask_for_changes_reach_the_agent_after_the_outage_and_a_restart(ring: Ring) -> None:
    one, head = await _ready(ring)
    _outage(ring)
    await request_changes(ring.core, one, head=head, text="Use a list.", by=ex.ADA)
    again = await ring.crash()
    await again.later(60)
    assert any("Use a list." in m.text for m in again.session(one).messages)
    assert again.status(one) == "changes_requested"
    assert (await again.told(one)).count("review.carried") == 1


async def test_what_nobody_could_carry_because_we_were_killed_is_carried_after_the_start(ring: Ring) -> None:
    one, head = await _ready(ring)
    review = UncarriedReview(
        by=ex.ADA, head=head, decision=ReviewDecision.APPROVED, at=ring.clock.now(), wait=uncarried.GRACE
    )
    await ring.fleet.change(one, lambda d: uncarried.keep(d, review))
    again = await ring.crash()
    await again.later(uncarried.GRACE - 10)
    assert again.scm.pull_of(one).reviews == ()
    await again.later(30)
    assert len(again.scm.pull_of(one).reviews) == 1


async def test_who_asks_for_changes_in_an_outage_keeps_it_from_being_merged(ring: Ring) -> None:
    one, head = await _ready(ring)
    await approve(ring.core, one, head=head, by=OWNER)
    await ring.settle()
    assert ring.status(one) == "mergeable"
    _outage(ring, 10)
    await request_changes(ring.core, one, head=head, text="Wait.", by=ex.ADA)
    assert ring.status(one) == "review_pending"
    assert "ada asks for changes, which the forge has not got yet" in ring.session(one).status.reason


async def test_a_refusal_after_the_outage_is_told_with_the_words_and_ends_it(ring: Ring) -> None:
    one, head = await _ready(ring)
    _outage(ring)
    ring.scm.fail_next("review", PermanentError("Reviews are locked.", next_step="Unlock them."))
    await request_changes(ring.core, one, head=head, text="Use a list.", by=ex.ADA)
    await ring.later(300)
    (told,) = [e for e in await ring.events(one) if e.type == "review.not_carried"]
    assert told.text.endswith("Reviews are locked. Unlock them. The words were: Use a list.")
    change = ring.session(one).change
    assert change is not None
    assert change.uncarried == ()
    assert ring.scm.calls.count("review") == 2


async def test_a_newer_head_ends_it(ring: Ring) -> None:
    one, head = await _ready(ring)
    _outage(ring, 100)
    await approve(ring.core, one, head=head, by=ex.ADA)
    await ring.pull_request(one, text="2")
    await ring.look(one)
    change = ring.session(one).change
    assert change is not None
    assert change.uncarried == ()
    (told,) = [e for e in await ring.events(one) if e.type == "review.not_carried"]
    assert f"#1 is at {short_sha(change.pr.head)} now" in told.text


async def test_the_last_word_of_a_person_counts(ring: Ring) -> None:
    one, head = await _ready(ring)
    _outage(ring, 2)
    await approve(ring.core, one, head=head, by=ex.ADA)
    await request_changes(ring.core, one, head=head, text="No.", by=ex.ADA)
    await ring.later(300)
    assert [r.decision for r in ring.scm.pull_of(one).reviews] == [ReviewDecision.CHANGES_REQUESTED]


async def test_pressing_again_carries_it_at_once(ring: Ring) -> None:
    one, head = await _ready(ring)
    _outage(ring)
    await approve(ring.core, one, head=head, by=ex.ADA)
    session = await approve(ring.core, one, head=head, by=ex.ADA)
    assert not waits(session, ex.ADA)
    assert len(ring.scm.pull_of(one).reviews) == 1


async def test_it_is_carried_before_a_session_ends(ring: Ring) -> None:
    one, head = await _ready(ring)
    _outage(ring)
    await approve(ring.core, one, head=head, by=ex.ADA)
    ring.clock.advance(60)
    await kill(ring.core, one, by=ex.ADA)
    await ring.settle()
    assert len(ring.scm.pull_of(one).reviews) == 1


async def test_a_refusal_at_once_is_told_in_the_thread_too(ring: Ring) -> None:
    one, head = await _ready(ring)
    ring.scm.fail_next("review", Conflict("The branch is locked."))
    with pytest.raises(Conflict):
        await approve(ring.core, one, head=head, by=ex.ADA)
    assert "review.not_carried" in await ring.told(one)
