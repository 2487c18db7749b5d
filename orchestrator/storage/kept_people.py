"""People whom somebody added or who paired themselves: one list among the values of the fleet."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.domain.rights import People, Person, Role, handle
from orchestrator.errors import BadInput
from orchestrator.storage.fleet import FleetStore

log = logging.getLogger(__name__)
PEOPLE = "people"
MOST = 1000


class KeptPeople:
    """Read once, changed here only. What the configuration says of them is not known here."""

    def __init__(self, fleet: FleetStore) -> None:
        self._fleet = fleet
        self._listeners: list[Callable[[], None]] = []
        self.people = People()

    def open(self) -> None:
        """Take over what is kept. A row that is no person gives no right: it is named in the log and left out."""
        found: list[Person] = []
        for row in self._fleet.get(PEOPLE, ()):
            try:
                found.append(_person(row))
            except (AttributeError, LookupError, TypeError, ValueError, BadInput) as error:
                log.warning("somebody who is kept cannot be read and does not count: %s", error)
        self.people = People(tuple(found))

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever somebody was added, changed or taken away."""
        self._listeners.append(listener)

    async def put(self, person: Person) -> None:
        """Keep somebody, in place of whoever has the name. Raises `BadInput`, `TemporaryError`."""
        others = self._without(person.handle)
        if len(others) >= MOST:
            msg = f"{MOST} people are kept already."
            raise BadInput(msg, next_step="`ao people rm` takes some away.")
        await self._set((*others, person))

    async def drop(self, name: str) -> None:
        """Keep nobody of that name. Repeatable. Raises `TemporaryError`."""
        await self._set(self._without(name))

    def _without(self, name: str) -> tuple[Person, ...]:
        return tuple(one for one in self.people.persons if one.handle.lower() != name.lower())

    async def _set(self, persons: tuple[Person, ...]) -> None:
        await self._fleet.set(PEOPLE, [_row(person) for person in persons] or None)
        self.people = People(persons)
        for listener in self._listeners:
            listener()


def _row(person: Person) -> dict[str, Any]:
    roles = {where: role.value for where, role in person.roles.items()}
    return {"handle": person.handle, "ids": dict(person.ids), "roles": roles, "owner": person.owner}


def _person(row: Mapping[str, Any]) -> Person:
    roles = {str(where): Role(role) for where, role in row["roles"].items()}
    ids = {str(surface): str(identity) for surface, identity in row["ids"].items()}
    return Person(handle=handle(row["handle"]), ids=ids, roles=roles, owner=row["owner"] is True)
