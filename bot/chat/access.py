"""Who acts on a surface, and what they may do there: a front end's user becomes a person of ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.chat.request import Surface
from orchestrator.domain.outside_text import one_line
from orchestrator.domain.person import Actor, ActorKind
from orchestrator.domain.rights import Allowed, Decision, People, Role, decide, decide_somewhere

_LONGEST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a front end saw."""

    surface: Surface
    id: str
    """The surface's own id: it stays when the name is changed. In the console: the handle that was logged in."""
    name: str = ""
    """As shown there; never looked up, since anybody can take any name."""


class Access:
    """Rights over the people who are known now."""

    def __init__(self, people: Callable[[], People]) -> None:
        """`people` gives everybody who is known at the moment of asking."""
        self._people = people

    @property
    def people(self) -> People:
        """Everybody who is known now."""
        return self._people()

    def somewhere(self, actor: Actor, needed: Role, *, owners: bool = False) -> Decision:
        """Whether `actor` has this role in any project."""
        return decide_somewhere(self.people, actor, needed, owners=owners)

    def sees(self, actor: Actor, project: str | None) -> bool:
        """Whether `actor` may see what is in a project; None: what concerns the whole fleet."""
        return isinstance(self.decide(actor, Role.VIEWER, project), Allowed)

    def actor(self, identity: Identity) -> Actor:
        """The actor that somebody is; one that nobody knows has the name `slack:U123` and no rights."""
        people = self.people
        person = people.by_identity(identity.surface.value, identity.id)
        if person is None and identity.surface is Surface.WEB:
            person = people.by_handle(identity.id)
        # No handle holds a colon: nobody is taken for a person by their id.
        stranger = f"{identity.surface.value}:{one_line(identity.id, _LONGEST)}"
        name = stranger if person is None else person.handle
        return Actor(kind=ActorKind.PERSON, name=name, via=identity.surface.value)

    def acting(self, actor: Actor, surface: Surface) -> Actor:
        """The owner of the machine as the person who they are, where one is; others as they are."""
        placed = actor if actor.via else replace(actor, via=surface.value)
        owner = self.people.owner_person
        if actor.kind is not ActorKind.OWNER or owner is None:
            return placed
        return replace(placed, kind=ActorKind.PERSON, name=owner.handle)

    def decide(self, actor: Actor, needed: Role, project: str | None, *, owners: bool = False) -> Decision:
        """Whether `actor` may do what needs this role in `project`; None is the whole fleet."""
        return decide(self.people, actor, needed, project, owners=owners)
