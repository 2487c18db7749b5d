"""People among the values of the fleet: kept, changed, and read by whoever does not hold the lock."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.domain.rights import Person, Role
from orchestrator.errors import BadInput
from orchestrator.storage import kept_people
from orchestrator.storage.faults import NoFaults
from orchestrator.storage.fleet import FleetStore
from orchestrator.storage.kept_people import KeptPeople
from orchestrator.storage.layout import Home

ANA = Person(handle="ana", ids={"slack": "U1"}, roles={"*": Role.ADMIN}, owner=True)


async def opened(home: Home) -> tuple[FleetStore, KeptPeople]:
    fleet = FleetStore(home, NoFaults())
    await fleet.open()
    people = KeptPeople(fleet)
    people.open()
    return fleet, people


async def test_somebody_is_kept_under_one_name_in_any_case(tmp_path: Path) -> None:
    home = Home(tmp_path)
    fleet, people = await opened(home)
    changes: list[int] = []
    people.on_change(lambda: changes.append(len(people.people.persons)))
    await people.put(ANA)
    await people.put(Person(handle="ANA", roles={"demo": Role.VIEWER}))
    assert [one.handle for one in people.people.persons] == ["ANA"]
    await people.put(Person(handle="bo"))
    await fleet.close()
    fleet, again = await opened(home)
    assert again.people == people.people
    await again.drop("ana")
    await again.drop("nobody")
    assert [one.handle for one in again.people.persons] == ["bo"]
    assert changes == [1, 1, 2]
    await fleet.close()


async def test_there_is_an_end_to_it(tmp_path: Path) -> None:
    home = Home(tmp_path)
    fleet, people = await opened(home)
    row = {"handle": "p", "ids": {}, "roles": {}, "owner": False}
    await fleet.set("people", [{**row, "handle": f"p{n}"} for n in range(kept_people.MOST)])
    people.open()
    with pytest.raises(BadInput, match="1000 people are kept"):
        await people.put(ANA)
    await people.put(Person(handle="P7", roles={"*": Role.VIEWER}))
    await fleet.close()


@pytest.fixture
def broken(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    home.fleet.write_text("{]")
    return home


async def test_who_only_looks_leaves_a_damaged_file_where_it_is(broken: Home) -> None:
    for _ in range(2):
        fleet = FleetStore(broken, NoFaults())
        [damaged] = await fleet.look()
        assert (damaged.path, damaged.kept_as) == (broken.fleet, None)
        assert fleet.get("people") is None
        await fleet.close()
