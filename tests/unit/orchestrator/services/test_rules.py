"""Leave that people give: read from their words, kept where it is to hold, listed and taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.domain.activity import Verdict
from orchestrator.domain.ids import SessionId
from orchestrator.domain.own_program import RULE
from orchestrator.domain.person import OWNER
from orchestrator.domain.policy import ALLOW_ONCE, Policy, parse
from orchestrator.errors import BadInput, Conflict, NotFound
from orchestrator.services import rules
from orchestrator.services.answer import answer
from orchestrator.testing import examples as ex
from orchestrator.testing.ring import CONFIG, Ring, open_ring


async def waiting(ring: Ring, command: str = "git status", issue: str = "1") -> SessionId:
    one = await ring.spawn(issue)
    ring.agent.asks_leave(one, command)
    await ring.look(one)
    return one


@pytest.mark.parametrize(
    ("typed", "taken"),
    [
        ("1", "Allow once"),
        ("allow", "Allow once"),
        ("YES", "Allow once"),
        ("Allow once", "Allow once"),
        ("3", "Deny"),
        ("deny", "Deny"),
        ("no", "Deny"),
        ("deny: use the other module", "Deny: use the other module"),
        ("No, use the other module", "Deny: use the other module"),
        ("Deny and say why: use the other module", "Deny: use the other module"),
        ("4 use the other module", "Deny: use the other module"),
        ("4. use the\nother module", "Deny: use the\nother module"),
        ("3 use the other module", "Deny: use the other module"),
    ],
)
async def test_leave_is_given_or_refused_by_number_option_or_words(
    ring: Ring, typed: str, taken: str
) -> None:
    one = await waiting(ring)
    assert (await answer(ring.core, one, typed, by=OWNER)).answer == taken
    await ring.settle()
    assert ring.session(one).questions[0].delivered
    assert ring.core.store.policy.rules == ()


@pytest.mark.parametrize(
    "typed",
    [
        "4",
        "Deny and say why",
        "deny:",
        "1 please",
        "5",
        "2 but only here",
        "go ahead",
        "allow: x",
        "allow always everywhere",
    ],
)
async def test_words_that_do_not_decide_change_nothing_and_say_how(ring: Ring, typed: str) -> None:
    one = await waiting(ring)
    with pytest.raises(BadInput) as caught:
        await answer(ring.core, one, typed, by=OWNER)
    assert "deny: " in caught.value.next_step
    assert ring.session(one).question is not None


@pytest.mark.parametrize(
    ("typed", "scope", "words"),
    [
        ("2", "project:demo", "ada allowed always in project demo: Bash(git log *.py)"),
        ("allow always", "project:demo", "ada allowed always in project demo: Bash(git log *.py)"),
        (
            "Allow always in this session",
            "session:demo-1",
            "ada allowed always in session demo-1: Bash(git log *.py)",
        ),
    ],
)
async def test_leave_for_always_is_kept_with_its_scope_and_told(
    ring: Ring, typed: str, scope: str, words: str
) -> None:
    one = await waiting(ring, "git log *.py")
    given = await answer(ring.core, one, typed, by=ex.ADA)
    assert given.answer == ALLOW_ONCE
    (kept,) = ring.core.store.policy.rules
    assert (kept.scope, kept.rule, kept.by) == (scope, r"Bash(git log \*.py)", "ada")
    assert words in [event.text for event in await ring.events(one)]
    (row,) = [e for e in await ring.core.store.audit.newest(10) if e.verb == "answer"]
    assert (row.by, row.session, row.text) == (ex.ADA, one, words.removeprefix("ada "))


async def test_leave_that_another_rule_forbids_is_not_kept(ring: Ring) -> None:
    ring.rules(policy=Policy(ask=(parse(Verdict.ASK, "Bash(git *)"),)))
    one = await waiting(ring)
    with pytest.raises(BadInput, match=r"the rule ask Bash\(git \*\) wins"):
        await answer(ring.core, one, "2", by=OWNER)
    assert (await answer(ring.core, one, "1", by=OWNER)).answer == ALLOW_ONCE


async def test_who_comes_second_adds_no_rule(ring: Ring) -> None:
    one = await waiting(ring)
    asked = ring.session(one).question
    assert asked is not None
    await answer(ring.core, one, "deny", by=ex.ADA, question=asked.id)
    with pytest.raises(Conflict, match="ada answered first"):
        await answer(ring.core, one, "2", by=OWNER, question=asked.id)
    assert ring.core.store.policy.rules == ()


async def test_rules_are_listed_with_scope_and_giver_and_taken_back(tmp_path: Path) -> None:
    config = CONFIG + "    policy: {{allow: ['Bash(ls*)']}}\npolicy: {{deny: ['Bash(rm *)'], ask: [Edit]}}\n"
    ring = await open_ring(tmp_path, config=config)
    one = await waiting(ring)
    await answer(ring.core, one, "allow always in this session", by=ex.ADA)
    found = await rules.listed(ring.core, project="demo")
    assert [(r.rule, r.scope, r.by) for r in found] == [
        ("deny Bash(rm *)", "in every project", ""),
        ("ask Edit", "in every project", ""),
        ("allow Bash(ls*)", "in project demo", ""),
        (RULE, "in every session", "built in"),
        ("allow Bash(git status)", "in session demo-1", "ada"),
    ]
    assert await rules.listed(ring.core) == found
    await rules.revoke(ring.core, found[-1].id, by=OWNER)
    assert len(await rules.listed(ring.core)) == 4
    assert (await ring.core.store.audit.newest(1))[0].text == "Bash(git status) in session demo-1"
    with pytest.raises(NotFound, match="no rule"):
        await rules.revoke(ring.core, found[-1].id, by=OWNER)
    with pytest.raises(NotFound):
        await rules.listed(ring.core, project="other")
    await ring.close()
