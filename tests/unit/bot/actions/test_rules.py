"""`rules` and `rules rm`: what agents may run, listed and taken back."""

from __future__ import annotations

from bot.actions import registry
from orchestrator.domain.policy import KeptRule
from tests.unit.bot.house import Ask, House, data, rows


async def test_rules_are_listed_and_taken_back(house: House, ask: Ask) -> None:
    kept = KeptRule(id="r1", scope="project:demo", rule="Bash(git *)", by="ada", at=0.0)
    await house.core.store.policy.add(kept)
    message = await ask("rules", project="Demo")
    assert [row[:4] for row in rows(message)[1:]] == [("r1", "allow Bash(git *)", "in project demo", "ada")]
    assert message.next_steps == ("rules rm r1",)
    assert data(message)["rules"][1]["by"] == "ada"
    assert "allow Bash(git *)" in (await ask("rules rm", id="R1")).title
    assert (await ask("rules")).title == "1 rule for agents"


def test_rules_are_found_by_their_other_names() -> None:
    assert registry.find(["policy"])[0].verb == "rules"
    assert registry.find(["policy", "rm", "r1"]) == (registry.load("rules rm"), 2)
    assert registry.find(["rules", "demo"]) == (registry.load("rules"), 1)
