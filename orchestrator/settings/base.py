"""What all models of the configuration share: frozen, both spellings of a key, unknown keys refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from pydantic import BaseModel, ConfigDict, JsonValue, model_validator
from pydantic.alias_generators import to_camel

Loose: TypeAlias = dict[str, JsonValue]
"""A block whose part of the product is not built yet: any keys, checked by that part once it is there."""


class Keys(BaseModel):
    """A mapping of known keys. Shown and documented in camelCase; snake_case is read too."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        coerce_numbers_to_str=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _one_spelling(cls, data: object) -> object:
        """Refuse one key in both spellings: one of them would be ignored silently."""
        if isinstance(data, Mapping):
            for name, info in cls.model_fields.items():
                if info.alias and info.alias != name and info.alias in data and name in data:
                    msg = f"this key is doubled: it stands here as {info.alias} and as {name}"
                    raise ValueError(msg)
        return data


class Block(Keys):
    """A plugin's block: the keys that choose the plugin, and the plugin's own options, kept as written."""

    model_config = ConfigDict(extra="allow")

    def options(self) -> dict[str, JsonValue]:
        """The plugin's own options: all that was written besides the keys that choose the plugin."""
        own = self.model_dump(by_alias=True, exclude_unset=True, exclude={"plugin", "package", "path"})
        return {**own, **(self.__pydantic_extra__ or {})}
