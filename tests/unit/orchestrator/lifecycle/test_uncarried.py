"""When a review that the forge has not got is carried by the ring, and when not. Pure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.pull_request import PullRequestState, ReviewDecision
from orchestrator.domain.session import Session, Wanted, WantedState
from orchestrator.domain.uncarried import UncarriedReview
from orchestrator.errors import PermanentError, TemporaryError
from orchestrator.lifecycle import acts, uncarried
from orchestrator.lifecycle.draft import Draft
from orchestrator.lifecycle.plan import due
from orchestrator.testing import examples as ex

GIVEN = UncarriedReview(
    by=ex.ADA, head=ex.HEAD, decision=ReviewDecision.APPROVED, at=ex.NOW, wait=uncarried.GRACE
)
ASKED = replace(GIVEN, decision=ReviewDecision.CHANGES_REQUESTED, body="Use a list.")


def session(*reviews: UncarriedReview, state: PullRequestState = PullRequestState.OPEN) -> Session:
    change = replace(ex.change(ex.pull_request(state=state)), uncarried=reviews, approvals=(ex.approval(),))
    return ex.session(changes=(change,), local_head=ex.HEAD)


def carries(one: Session, now: float) -> list[UncarriedReview]:
    return [act.review for act in due(one, now) if isinstance(act, acts.CarryReview)]


def test_whoever_gave_it_carries_it_first_then_the_ring() -> None:
    one = session(GIVEN)
    assert carries(one, ex.NOW + uncarried.GRACE - 1) == []
    assert carries(one, ex.NOW + uncarried.GRACE) == [GIVEN]
    assert carries(one, ex.NOW - 1) == [GIVEN], "a clock that stepped back does not hold it"


@pytest.mark.parametrize("state", [WantedState.PAUSE, WantedState.STOP])
def test_a_session_that_rests_or_ends_still_carries_what_people_said(state: WantedState) -> None:
    one = replace(session(GIVEN), wanted=Wanted(state=state, by=ex.ADA, at=ex.NOW))
    assert carries(one, ex.NOW + uncarried.GRACE) == [GIVEN]
    assert isinstance(due(one, ex.NOW + uncarried.GRACE)[0], acts.CarryReview)


def test_one_of_another_head_or_of_what_is_over_is_not_carried() -> None:
    late = ex.NOW + uncarried.GRACE
    assert carries(session(replace(GIVEN, head="b" * 40)), late) == []
    assert carries(session(GIVEN, state=PullRequestState.MERGED), late) == []


def test_it_waits_as_long_as_the_forge_says_and_is_told_once() -> None:
    draft = Draft(session(GIVEN), ex.NOW)
    uncarried.put_off(draft, GIVEN, TemporaryError("502.", delay=90))
    uncarried.put_off(draft, GIVEN, TemporaryError("502.", delay=90))
    assert [e.type for e in draft.events] == ["review.waits"]
    assert carries(draft.session, ex.NOW + 89) == []
    (waiting,) = carries(draft.session, ex.NOW + 90)
    assert waiting.same(GIVEN)
    assert waiting.reason == "502."


def test_what_was_carried_at_once_and_nobody_waited_for_is_no_news() -> None:
    draft = Draft(session(ASKED), ex.NOW)
    uncarried.carried(draft, ASKED, "")
    assert draft.events == []
    assert draft.session.change is not None
    assert draft.session.change.uncarried == ()


def test_a_refusal_of_what_was_replaced_meanwhile_takes_nothing_away() -> None:
    draft = Draft(session(ASKED), ex.NOW)
    uncarried.refused(draft, GIVEN, PermanentError("no."))
    assert draft.events == []
    assert uncarried.find(draft.session, ASKED) == ASKED


def test_a_merge_settles_an_approval_in_silence_and_asked_changes_with_their_words() -> None:
    draft = Draft(session(GIVEN, state=PullRequestState.MERGED), ex.NOW)
    uncarried.follow(draft)
    assert draft.events == []
    draft = Draft(session(ASKED, state=PullRequestState.MERGED), ex.NOW)
    uncarried.follow(draft)
    (told,) = draft.events
    assert told.text.endswith("#7 is merged. The words were: Use a list.")
