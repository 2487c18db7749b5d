"""What concerns several people of a configuration: looks at plain data, so that it is found beside all else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestrator.domain.rights import ALL_PROJECTS
from orchestrator.settings.document import Data
from orchestrator.settings.problems import KeyPath, Problem, Spots, nearest

_SURFACES = ("slack", "discord", "github")


def check_people(data: Mapping[str, Data], spots: Spots) -> Iterator[Problem]:
    """Names and ids that two people share, roles for nobody, and roles in no project."""
    people = _mapping(data.get("people"))
    yield from _shared(people, spots)
    yield from _groups(data, people, spots)
    for name, keys in people.items():
        yield from _places(_mapping(keys).get("roles"), ("people", name, "roles"), data, spots)


def _mapping(value: Data) -> Mapping[str, Data]:
    return value if isinstance(value, dict) else {}


def _shared(people: Mapping[str, Data], spots: Spots) -> Iterator[Problem]:
    """Nobody is two people, and no two people are one."""
    first: dict[tuple[str, str], str] = {}
    for name, keys in people.items():
        said: list[tuple[KeyPath, tuple[str, str], str]] = [
            (("people", name), ("name", str(name).lower()), "has the same name")
        ]
        block = _mapping(keys)
        for surface in _SURFACES:
            if block.get(surface) is not None:
                identity = str(block[surface])
                words = f"is {identity} in {surface} already"
                said.append((("people", name, surface), (surface, identity), words))
        if block.get("owner") is True:
            said.append((("people", name, "owner"), ("owner", ""), "is the owner of the machine already"))
        for at, key, words in said:
            if key in first:
                yield spots.problem(at, f"{first[key]} {words}.")
            first.setdefault(key, str(name))


def _groups(data: Mapping[str, Data], people: Mapping[str, Data], spots: Spots) -> Iterator[Problem]:
    known = {str(name).lower() for name in people}
    for role, group in _mapping(data.get("roles")).items():
        at: KeyPath = ("roles", role)
        yield from _places(group, at, data, spots)
        lists = {(*at, where): names for where, names in _mapping(group).items()} or {at: group}
        for place, names in lists.items():
            for index, name in enumerate(names if isinstance(names, list) else ()):
                if isinstance(name, str) and name.lower() not in known:
                    message = f"Nobody under `people` is called {name}."
                    yield spots.problem((*place, index), message, nearest=nearest(name, list(people)))


def _places(roles: Data, at: KeyPath, data: Mapping[str, Data], spots: Spots) -> Iterator[Problem]:
    projects = _mapping(data.get("projects"))
    for where in _mapping(roles):
        if where != ALL_PROJECTS and where not in projects:
            message = f"There is no project {where!r}; `*` stands for all."
            yield spots.problem((*at, where), message, nearest=nearest(str(where), list(projects)))
