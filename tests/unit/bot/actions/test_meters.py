"""What is left of outside services' limits is told where people and programs look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from typing_extensions import override

from orchestrator.ports.meter import Meter, Metered
from orchestrator.ports.plugin import Options, Plugin
from orchestrator.ports.scm import SCM
from orchestrator.services import meters
from orchestrator.testing.fakes.scm import FakeScm
from tests.unit.bot.accounts import use_account
from tests.unit.bot.house import Ask, House, data

METER = Meter(name="github.com graphql", limit=5000, remaining=900, resets_at=1e9, calls=12)
SLOWED = replace(METER, words="limit in 22 min; slowed to 90 s")


class MeteredScm(FakeScm, Metered):
    def __init__(self, *found: Meter) -> None:
        super().__init__()
        self.found = found

    @override
    def meters(self) -> Sequence[Meter]:
        if not self.found:
            raise RuntimeError
        return self.found


def use(house: House, name: str, *found: Meter) -> MeteredScm:
    made = MeteredScm(*found)
    house.core.registry.add(
        Plugin(slot=SCM, name=name, summary="", create=lambda _options, _context: made, options=Options), name
    )
    house.core.registry.create(SCM, name, {})
    return made


async def test_without_limits_nothing_is_said(house: House, ask: Ask) -> None:
    use(house, "plain", replace(METER, words=""))
    assert not any("⏳" in line for line in (await ask("status")).lines)


async def test_a_forecast_stands_below_the_list_and_its_numbers_in_the_data(house: House, ask: Ask) -> None:
    use(house, "one", SLOWED)
    listed = await ask("status")
    assert "⏳ github.com graphql: limit in 22 min; slowed to 90 s" in listed.lines
    assert data(listed)["limits"] == [
        {"name": "github.com graphql", "limit": 5000, "remaining": 900, "resets_at": 1e9, "calls": 12, "words": SLOWED.words}
    ]  # fmt: skip


async def test_a_credential_that_is_not_taken_is_the_first_line(house: House, ask: Ask) -> None:
    use(house, "one", SLOWED)
    use_account(house, "GitHub does not take our token.")
    assert (await ask("status")).lines[0] == "⚠️ GitHub does not take our token."


def test_a_limit_that_is_shared_is_told_once_and_of_several_the_scarcest(house: House) -> None:
    use(house, "scm", METER)
    use(house, "tracker", METER)
    use(house, "person", replace(SLOWED, remaining=100))
    use(house, "unheard", replace(METER, limit=0, remaining=0))
    (found,) = meters.meters(house.core)
    assert (found.remaining, found.limit, found.words) == (100, 5000, SLOWED.words)


def test_a_plugin_that_cannot_say_hides_nobody(house: House) -> None:
    use(house, "broken")
    use(house, "fine", METER)
    assert meters.meters(house.core) == (METER,)
