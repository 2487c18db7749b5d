"""A kept intent to merge: which moves it may make."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.domain.event import Level
from orchestrator.domain.session import Attempt
from orchestrator.lifecycle import merging
from orchestrator.lifecycle.draft import Draft
from orchestrator.testing import examples as ex

RULE = Attempt(key="approved-and-green", fingerprint=ex.HEAD, count=1, first_at=ex.NOW, last_at=ex.NOW)
OTHER = replace(RULE, key="ci-failed")


def asked() -> Draft:
    draft = Draft(ex.session(attempts=(RULE, OTHER)), ex.NOW)
    merging.ask(draft, ex.HEAD, by="bo")
    return draft


def told(draft: Draft) -> list[tuple[str, str]]:
    return [(event.type, event.text) for event in draft.events]


def test_before_it_begins_it_is_taken_back_at_once_and_its_rule_may_ask_again() -> None:
    draft = asked()
    merging.take_back(draft, by="ada")
    assert merging.intent_of(draft.session) is None
    assert draft.session.attempts == (OTHER,)
    assert told(draft)[1:] == [("merge.taken_back", "ada took the merge of aaaaaaaaaaaa back")]
    merging.take_back(draft, by="ada")
    assert len(draft.events) == 2


def test_once_it_has_begun_it_is_only_marked_and_the_first_who_held_it_stays_named() -> None:
    draft = asked()
    merging.begin(draft, ex.HEAD)
    assert merging.may_begin(merging.intent_of(draft.session), ex.HEAD)
    for holder in ("ada", "eve"):
        merging.take_back(draft, by=holder)
    intent = merging.intent_of(draft.session)
    assert intent is not None
    assert merging.taken_back_by(intent) == "ada"
    assert not merging.may_begin(intent, ex.HEAD)
    assert (draft.session.attempts, len(draft.events)) == ((RULE, OTHER), 1)


def test_act_of_another_head_or_without_an_intent_begins_nothing() -> None:
    draft = asked()
    merging.begin(draft, ex.OTHER_HEAD)
    assert draft.session.intents == asked().session.intents
    assert not merging.may_begin(merging.intent_of(draft.session), ex.OTHER_HEAD)
    nothing = Draft(ex.session(), ex.NOW)
    merging.begin(nothing, ex.HEAD)
    assert nothing.session == ex.session()
    assert not merging.may_begin(None, ex.HEAD)


def waiting(by: str = "bo", approvers: frozenset[str] | None = frozenset({"bo", "ada"})) -> Draft:
    """Asked for by somebody; ada's approval suffices. Then the rights are asked again."""
    change = ex.change(ex.pull_request(), approvals=(ex.approval(),))
    draft = Draft(ex.session(changes=(change,), attempts=(RULE,)), ex.NOW)
    merging.ask(draft, ex.HEAD, by=by)
    merging.check_rights(draft, ex.rules(approvals=1, approvers=approvers))
    return draft


def test_who_may_still_merge_merges() -> None:
    for by in ("bo", "BO", merging.BY_RULE):
        draft = waiting(by)
        assert (merging.intent_of(draft.session) is not None, len(draft.events)) == (True, 1)
    anybody = waiting("owner", None)
    assert merging.intent_of(anybody.session) is not None


def test_who_may_not_merge_any_more_is_refused_in_words() -> None:
    draft = waiting("bo", frozenset({"ada"}))
    assert merging.intent_of(draft.session) is None
    assert told(draft)[1] == (
        "merge.refused",
        "aaaaaaaaaaaa is not merged: bo may not merge in demo now, which needs the role approver there",
    )
    assert draft.events[1].level is Level.ACTION


def test_a_rule_and_a_person_merge_only_what_those_approved_who_may() -> None:
    for by in ("bo", merging.BY_RULE):
        draft = waiting(by, frozenset({"bo"}))
        assert merging.intent_of(draft.session) is None
        assert draft.session.attempts == ()
        assert told(draft)[1][1] == "aaaaaaaaaaaa is not merged: its approvals do not suffice any more"


def test_what_has_begun_is_looked_up_before_it_is_refused() -> None:
    draft = waiting()
    merging.begin(draft, ex.HEAD)
    for _ in range(2):
        merging.check_rights(draft, ex.rules(approvals=1, approvers=frozenset({"ada"})))
    intent = merging.intent_of(draft.session)
    assert intent is not None
    assert merging.taken_back_by(intent) == "ao"
    assert [kind for kind, _ in told(draft)] == ["merge.asked", "merge.refused"]


def test_nothing_asked_for_is_nothing_refused() -> None:
    draft = Draft(ex.session(), ex.NOW)
    merging.check_rights(draft, ex.rules(approvers=frozenset()))
    assert draft.events == []
    merging.ask(draft, ex.HEAD, by="bo")
    merging.check_rights(draft, ex.rules(approvers=frozenset()))
    assert len(draft.events) == 1


def test_who_asked_for_the_merge_is_kept_with_the_place() -> None:
    draft = Draft(ex.session(changes=(ex.change(),)), ex.NOW)
    merging.ask(draft, ex.HEAD, by="bo", via="slack")
    merging.keep_who(draft, merging.intent_of(draft.session))
    assert draft.session.change is not None
    assert (draft.session.change.merged_by, draft.session.change.merged_via) == ("bo", "slack")
