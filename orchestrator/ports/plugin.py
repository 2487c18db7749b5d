"""What a plugin is: a slot, a name, its options, and how to make it. Read this first to write one.

A plugin file ends in `PLUGIN = Plugin(...)`. Its module imports without its third-party library;
`create` may import it. Its options model says what its block in the configuration may hold; the model is
written with `Options`, `Field`, `AfterValidator` and `model_validator` from here, so that pydantic has one place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Protocol, TypeVar, runtime_checkable

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

__all__ = [
    "AfterValidator",
    "Closes",
    "Field",
    "OptionProblem",
    "Options",
    "Plugin",
    "PluginContext",
    "Slot",
    "model_validator",
]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionProblem:
    """One thing wrong in a plugin's block: where in the block, and what."""

    path: tuple[str | int, ...]
    text: str


class Options(BaseModel):
    """Base of a plugin's options: frozen, unknown keys refused, camelCase and snake_case read."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        # A field's docstring is what `docs/plugins.md` says of the option.
        use_attribute_docstrings=True,
    )

    @classmethod
    def problems(cls, raw: Mapping[str, object]) -> list[OptionProblem]:
        """Everything that is wrong in a block, at once; empty when it is right."""
        try:
            cls.model_validate(dict(raw))
        except ValidationError as error:
            return [OptionProblem(path=tuple(e["loc"]), text=str(e["msg"])) for e in error.errors()]
        return []


@dataclass(frozen=True, slots=True)
class Slot(Generic[T]):
    """A place in the program that exactly one plugin fills; carries the port's type."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginContext:
    """What a plugin is given of the program it lives in."""

    home: Path
    """`$AO_HOME`."""
    data: Callable[[str], str]
    """The text of a file in `config/`: `data("agents/custom.yaml")`. Raises `NotFound`."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables of ours that a plugin may look credentials up in. Never handed to a session."""
    now: Callable[[], float] = lambda: 0.0
    """Epoch seconds."""
    server: str = "ao"
    """A name for shared servers of this `$AO_HOME` (the tmux socket), unlike any other home's."""
    wake: Callable[[str], None] = lambda _session: None
    """Say that something changed for a session (its id), so that the next look comes sooner."""
    reached: Callable[[str], None] = lambda _boundary: None
    """Called between two steps that a crash could part, by name; a test ends the process there."""


@runtime_checkable
class Closes(Protocol):
    """A plugin instance that holds something open: tasks, connections, terminals of its own."""

    async def aclose(self) -> None:
        """Let go of it, when `ao` stops. Repeatable."""


def _always(_options: Options, _context: PluginContext) -> str:
    """It needs nothing besides programs."""
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin(Generic[T]):
    """One plugin. `create` gets validated options; it may raise `NotReady`."""

    slot: Slot[T]
    name: str
    summary: str
    """One line for `ao plugin list`."""
    create: Callable[[Options, PluginContext], T]
    options: type[Options] = Options
    needs: tuple[str, ...] = ()
    """Programs that must be on the PATH; missing ones are reported as *not ready here*."""
    install: str = ""
    """A command that gets what it needs, where one does on every machine: `npm install -g …`."""
    launches: tuple[str, ...] = ()
    """Option names whose value is an argument list: its first word is a program that must be there."""
    runs_code: tuple[str, ...] = ()
    """Option names whose values are run, or say where credentials go or who is obeyed.

    They count only once the file is trusted.
    """
    ready: Callable[[Options, PluginContext], str] = _always
    """Why it could not be used here now, such as for want of a credential; empty when it could. May block."""
