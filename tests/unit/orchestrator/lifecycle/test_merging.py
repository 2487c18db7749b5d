"""A kept intent to merge: which moves it may make."""

from __future__ import annotations

from dataclasses import replace

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
