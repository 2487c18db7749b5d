"""Who does something: a person, the owner of this machine, an agent, or a rule of ours."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from typing_extensions import override


class ActorKind(StrEnum):
    """What kind of actor it is."""

    OWNER = "owner"
    """Whoever runs `ao start`: reached through the unix socket with the same user id."""
    PERSON = "person"
    AGENT = "agent"
    RULE = "rule"


_PLACES = {
    "slack": "in Slack",
    "discord": "in Discord",
    "web": "in the console",
    "shell": "in the shell",
    "api": "through the API",
}
"""How a surface is named behind a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Somebody, as kept beside each decision."""

    kind: ActorKind
    name: str
    via: str = field(default="", compare=False)
    """The surface where they acted: `slack`, `shell`. The same person elsewhere is the same actor."""

    @override
    def __str__(self) -> str:
        return self.name

    @property
    def placed(self) -> str:
        """In words with the place: `ana in Slack`."""
        return f"{self.name} {_PLACES.get(self.via, f'in {self.via}')}" if self.via else self.name


OWNER = Actor(kind=ActorKind.OWNER, name="owner")


def rule(name: str) -> Actor:
    """The actor for something that a configured rule did."""
    return Actor(kind=ActorKind.RULE, name=name)
