"""Keys of `people` and `roles`: who is who on which surface, and who may do what where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from orchestrator.domain import ids, rights
from orchestrator.domain.rights import ALL_PROJECTS, People, Person, Role
from orchestrator.settings.base import Keys
from orchestrator.settings.values import by

RoleName: TypeAlias = Literal["viewer", "operator", "approver", "admin"]
Handle = Annotated[str, AfterValidator(by(rights.handle))]


def _where(text: str) -> str:
    return text if text == ALL_PROJECTS else ids.project_id(text)


def _everywhere(value: object) -> object:
    """What stands alone holds in all projects."""
    return value if isinstance(value, Mapping) or value is None else {ALL_PROJECTS: value}


Where = Annotated[str, AfterValidator(by(_where))]
_ROLE: dict[str, Any] = {"type": "string", "enum": [role.value for role in Role]}
_NAMES: dict[str, Any] = {"type": "array", "items": {"type": "string"}}


def _alone_or_by_project(one: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [one, {"type": "object", "additionalProperties": one}]})


Roles = Annotated[dict[Where, RoleName], BeforeValidator(_everywhere), _alone_or_by_project(_ROLE)]
Group = Annotated[dict[Where, tuple[Handle, ...]], BeforeValidator(_everywhere), _alone_or_by_project(_NAMES)]


class PersonKeys(Keys):
    """One person: who they are on each surface, and what they may do."""

    slack: Annotated[str, Field(pattern=r"^[UW][A-Z0-9]{1,30}$")] | None = Field(
        default=None, description="Member id in Slack (*Copy member ID* in the profile): `U0123`."
    )
    discord: Annotated[str, Field(pattern=r"^[0-9]{1,20}$")] | None = Field(
        default=None, description="User id in Discord, a number (*Copy User ID*)."
    )
    github: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,38}$")] | None = Field(
        default=None, description="Login at GitHub."
    )
    owner: bool = Field(
        default=False, description="Also the owner of the machine: whoever types in its shell is this person."
    )
    roles: Roles = Field(
        default={},
        description="viewer, operator, approver or admin: one for all projects, or one for each (`*` is all).",
    )

    @property
    def surfaces(self) -> dict[str, str]:
        """Surface -> who they are there."""
        found = {"slack": self.slack, "discord": self.discord, "github": self.github}
        return {surface: identity for surface, identity in found.items() if identity}


def people_of(
    people: Mapping[str, PersonKeys], groups: Mapping[RoleName, Mapping[str, tuple[str, ...]]]
) -> People:
    """Everybody with all their roles: of what was given to them twice the higher counts."""
    return People(tuple(_person(name, keys, groups) for name, keys in people.items()))


def _person(name: str, keys: PersonKeys, groups: Mapping[RoleName, Mapping[str, tuple[str, ...]]]) -> Person:
    roles: dict[str, Role] = {}
    for where, role in (*_own(keys), *_of_groups(name, groups)):
        if where not in roles or role.covers(roles[where]):
            roles[where] = role
    return Person(handle=name, ids=keys.surfaces, roles=roles, owner=keys.owner)


def _own(keys: PersonKeys) -> Iterator[tuple[str, Role]]:
    return ((where, Role(role)) for where, role in keys.roles.items())


def _of_groups(
    name: str, groups: Mapping[RoleName, Mapping[str, tuple[str, ...]]]
) -> Iterator[tuple[str, Role]]:
    for role, members in groups.items():
        for where, names in members.items():
            if name.lower() in map(str.lower, names):
                yield where, Role(role)
