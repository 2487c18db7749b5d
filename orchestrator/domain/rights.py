"""Who may do what, in which project, and the words for whoever may not. Pure.

Rights only add up: somebody has the higher of their role in all projects (`*`) and in the one that is
meant. What concerns the whole fleet needs the role in all projects.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeAlias

from orchestrator.domain.person import Actor, ActorKind
from orchestrator.errors import BadInput

ALL_PROJECTS = "*"
"""Stands for every project, those to come included."""
_HANDLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,38}")
_RESERVED = frozenset({"owner", "here", "everyone", "channel", "nobody"})
_MOST_NAMED = 5
_OWNER_IN = (
    "Set `owner: true` for your own entry under `people`, or `ao people add <you> admin --owner`: "
    "then you are that person in this shell too."
)
_NOBODY = "Nobody has it; whoever owns the machine can give it there: `ao people add <person> <role>`."


class Role(StrEnum):
    """What somebody may do, each with all that stands before it."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    ADMIN = "admin"

    def covers(self, needed: Role) -> bool:
        """Whether this role may do what `needed` may."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


def handle(text: str) -> str:
    """Return `text` as a person's name, or raise `BadInput`. No unknown actor's name is one."""
    if not _HANDLE.fullmatch(text) or text.lower() in _RESERVED:
        msg = f"{text!r} is no name for a person: letters, digits, . _ and -, at most 39; and not {_named(sorted(_RESERVED), 'or')}."
        raise BadInput(msg)
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who may do something."""

    handle: str
    """The name as it is shown; unique, whatever the case of its letters."""
    ids: Mapping[str, str] = field(default_factory=dict)
    """Surface -> who they are there: `slack` -> `U123`. Also `github`, by which nobody acts here."""
    roles: Mapping[str, Role] = field(default_factory=dict)
    """Project, or `*` for all -> role."""
    owner: bool = False
    """They are also the owner of the machine: whoever runs `ao start` and types in its shell."""

    def role(self, project: str | None) -> Role | None:
        """Their role in a project; with None, in the whole fleet."""
        wanted = (ALL_PROJECTS,) if project is None else (ALL_PROJECTS, project)
        found = [self.roles[name] for name in wanted if name in self.roles]
        return max(found, key=list(Role).index, default=None)

    @property
    def best(self) -> Role | None:
        """Their highest role, wherever they have it."""
        return max(self.roles.values(), key=list(Role).index, default=None)

    def has(self, needed: Role, project: str | None) -> bool:
        """Whether they have a role, or a higher one, there."""
        own = self.role(project)
        return own is not None and own.covers(needed)


@dataclass(frozen=True, slots=True)
class People:
    """Everybody who is known. Nobody at all: the owner of the machine is alone with it."""

    persons: tuple[Person, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nobody is known: then only the owner of the machine may do anything."""
        return not self.persons

    @property
    def owner_person(self) -> Person | None:
        """Who the owner of the machine is among them."""
        return next((person for person in self.persons if person.owner), None)

    def by_handle(self, name: str) -> Person | None:
        """The person of that name, in any case."""
        lowered = name.lower()
        return next((person for person in self.persons if person.handle.lower() == lowered), None)

    def by_identity(self, surface: str, identity: str) -> Person | None:
        """The person who is `identity` on that surface."""
        return next((person for person in self.persons if person.ids.get(surface) == identity), None)

    def person_of(self, actor: Actor) -> Person | None:
        """Who acts. A rule, an agent and whoever is not known are nobody."""
        if actor.kind is ActorKind.OWNER:
            return self.owner_person
        return self.by_handle(actor.name) if actor.kind is ActorKind.PERSON else None

    def having(self, needed: Role, project: str | None) -> tuple[str, ...]:
        """The names of those who have a role, or a higher one, there."""
        return tuple(person.handle for person in self.persons if person.has(needed, project))

    def approvers(self, project: str) -> frozenset[str] | None:
        """Whose approvals count in a project, in lower case. None: everybody's, as nobody is known."""
        return None if self.empty else frozenset(map(str.lower, self.having(Role.APPROVER, project)))

    def same(self, one: Actor, other: Actor) -> bool:
        """Whether both are one person: by name, or as the owner of the machine under either name."""
        persons = self.person_of(one), self.person_of(other)
        return persons[0] == persons[1] if None not in persons else one == other


def merged(configured: People, kept: People) -> People:
    """Everybody: where both speak of one thing (a role, an id, who the owner is), the configuration wins."""
    named = [_joined(person, kept.by_handle(person.handle), configured) for person in configured.persons]
    others = [_cut(person, configured) for person in kept.persons if not configured.by_handle(person.handle)]
    return People((*named, *others))


def _joined(person: Person, kept: Person | None, configured: People) -> Person:
    if kept is None:
        return person
    more = _cut(kept, configured)
    return Person(
        handle=person.handle,
        ids={**more.ids, **person.ids},
        roles={**more.roles, **person.roles},
        owner=person.owner or more.owner,
    )


def _cut(kept: Person, configured: People) -> Person:
    """Somebody who is kept, without what the configuration gives to others."""
    ids = {
        surface: identity
        for surface, identity in kept.ids.items()
        if (other := configured.by_identity(surface, identity)) is None or _one(other, kept)
    }
    owner = configured.owner_person
    return replace(kept, ids=ids, owner=kept.owner and (owner is None or _one(owner, kept)))


def _one(person: Person, other: Person) -> bool:
    return person.handle.lower() == other.handle.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """It may be done, in this role."""

    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """It may not be done."""

    missing: str
    """What is missing, in words that go on after "may not merge: "."""
    next_step: str
    """Who has what is missing, or what else gives it."""


Decision: TypeAlias = Allowed | Denied


def decide(
    people: People, actor: Actor, needed: Role, project: str | None, *, owners: bool = False
) -> Decision:
    """Whether `actor` may do in `project` what needs a role; None is the whole fleet.

    `owners`: the owner of the machine may do it whoever is known: it is how they get back in.
    """
    person = people.person_of(actor)
    own = person.role(project) if person is not None else None
    if actor.kind is ActorKind.OWNER:
        own = Role.ADMIN if people.empty or owners else own if person is not None else Role.VIEWER
    if own is not None and own.covers(needed):
        return Allowed(role=own)
    where = " in all projects" if project is None else f" in {project}"
    return _denied(people, actor, f"{needed.value}{where}", own, people.having(needed, project))


def decide_somewhere(people: People, actor: Actor, needed: Role, *, owners: bool = False) -> Decision:
    """Whether `actor` has the role in any project at all: in which one it is needed may not be known yet."""
    person = people.person_of(actor)
    if person is None or person.best is None or not person.best.covers(needed):
        found = decide(people, actor, needed, None, owners=owners)
        if isinstance(found, Allowed):
            return found
        having = tuple(
            one.handle for one in people.persons if one.best is not None and one.best.covers(needed)
        )
        return _denied(people, actor, needed.value, person.best if person else None, having)
    return Allowed(role=person.best)


def _denied(people: People, actor: Actor, needed: str, own: Role | None, having: tuple[str, ...]) -> Denied:
    if people.empty:
        return Denied(
            missing="nobody is known here yet, so that nobody may do anything",
            next_step="`ao start` prints a code; `pair <code>` makes the first admin.",
        )
    needs = f"that needs the role {needed}"
    if actor.kind is ActorKind.OWNER and people.owner_person is None:
        return Denied(missing=f"{needs}, and {actor} is only {Role.VIEWER.value} there", next_step=_OWNER_IN)
    has = f"is only {own.value}" if own else "has no role"
    there = " there" if " in " in needed else ""
    missing = (
        f"nobody here knows {actor}, and {needs}"
        if people.person_of(actor) is None
        else f"{needs}, and {actor} {has}{there}"
    )
    if having:
        return Denied(
            missing=missing, next_step=f"{_named(having)} {'have' if len(having) > 1 else 'has'} it."
        )
    return Denied(missing=missing, next_step=_NOBODY)


def _named(names: tuple[str, ...] | list[str], word: str = "and") -> str:
    shown = list(names[:_MOST_NAMED])
    if len(names) > _MOST_NAMED:
        shown.append(f"{len(names) - _MOST_NAMED} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {word} {shown[-1]}"
