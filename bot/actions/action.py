"""What a verb is: its grammar, help, role, confirmation and inverse, and what it runs.

A verb's file ends in `ACTION = Action(...)`. It imports nothing of `orchestrator.services` at its
top, so that help, completion and parsing cost little; `run` imports its service.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from bot.chat.message import Message
from bot.chat.request import EVERYWHERE, Request, Surface
from orchestrator.domain import rights
from orchestrator.errors import NotReady

if TYPE_CHECKING:
    from orchestrator.registry import Registry
    from orchestrator.services.core import Core
    from orchestrator.services.settings_now import SettingsNow
    from orchestrator.storage.layout import Home


Role = rights.Role
"""For the verbs' own files: they all name one."""


class Kind(StrEnum):
    """How an argument is read."""

    WORD = "word"
    NUMBER = "number"
    FLAG = "flag"
    TEXT = "text"
    """Everything that is left, word for word. Positional and last."""
    MANY = "many"
    """Every word that is left, one by one. Positional and last."""
    SESSION = "session"
    """A session by id, issue or pull request, or a link to one of these."""
    ISSUE = "issue"
    PROJECT = "project"
    PATH = "path"
    """A path on the machine of whoever asks; the shell makes it absolute."""
    HEAD = "head"
    """The commit that was shown: enough of its hexadecimal digits."""
    PERSON = "person"
    """Somebody: `@ada`, a name, or a mention as a chat hands it on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument of a verb. Positional ones come in the order in which they are listed."""

    name: str
    help: str
    kind: Kind = Kind.WORD
    option: bool = False
    """Written `--name value`; a flag is always an option."""
    required: bool = False
    choices: tuple[str, ...] = ()
    surfaces: frozenset[Surface] = EVERYWHERE


class Confirmation(StrEnum):
    """What is asked before a verb is run."""

    NONE = "none"
    FACTS = "facts"
    """The facts are shown and yes is asked."""
    RISK = "risk"
    """Likewise, where the preview has a button: elsewhere there is nothing to lose."""
    HEAD = "head"
    """Like `FACTS`, and what was shown is bound to the head commit that it was shown for."""


class Access(StrEnum):
    """What a verb needs of the fleet, when no `ao start` runs."""

    CHANGES = "changes"
    """The lock; the ring runs in the shell's own process until what was asked has settled."""
    READS = "reads"
    """Kept files only."""
    CONFIGURATION = "configuration"
    """No fleet: the configuration and what is installed here. Works with a broken configuration."""
    FILES = "files"
    """Likewise, and always in the shell's own process: it is about files that the server may not use."""
    MACHINE = "machine"
    """The shell does it itself, on the machine that it runs on; the API never does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What there is without a fleet: the home, the configuration and the plugins."""

    home: Home
    registry: Registry
    settings: SettingsNow


def everything(_project: str) -> bool:
    """Whoever may see all."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a verb is run with."""

    bench: Bench
    now: float
    sees: Callable[[str], bool] = everything
    """Whether who asks may see what is in a project."""
    fleet: Core | None = None
    """None for verbs with `Access.CONFIGURATION` while no fleet runs here."""

    @property
    def core(self) -> Core:
        """The fleet. Raises `NotReady` where there is none."""
        if self.fleet is None:
            msg = "no fleet runs here."
            raise NotReady(msg, next_step="`ao start` runs it.")
        return self.fleet


class Scope(StrEnum):
    """Where somebody needs the role."""

    PROJECT = "project"
    """In the project of what is named: its session, its project, its place. About all: in all projects."""
    FLEET = "fleet"
    """In all projects."""
    SEEN = "seen"
    """Like `PROJECT`; where nothing is named, in any project: it shows only those where they have it."""
    ANYBODY = "anybody"
    """Nobody needs one."""


Run: TypeAlias = Callable[[Context, Request], Awaitable[Message]]
"""Raises `AoError` with what to do next; whoever called turns that into words."""


ProjectOf: TypeAlias = Callable[[Context, Request], Awaitable[str | None]]
"""The project that a request is about; None: about all. Raises `AoError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One verb."""

    verb: str
    """As typed; two words for a group: `rescue show`."""
    summary: str
    """One line, for help."""
    role: Role
    """What it needs; with `Scope.ANYBODY` it is not asked for."""
    run: Run
    scope: Scope = Scope.PROJECT
    project: ProjectOf | None = None
    """Which project it is about, where that is not its session's or its argument's of that kind."""
    owners: bool = False
    """The owner of the machine may do it whoever is known: how they get back in."""
    requesters: bool = False
    """Who asked for a session may do it to that session, as long as they may see it."""
    arguments: tuple[Argument, ...] = ()
    aliases: tuple[str, ...] = ()
    surfaces: frozenset[Surface] = EVERYWHERE
    confirmation: Confirmation = Confirmation.NONE
    preview: Run | None = None
    """The facts that are shown before a yes is asked, with the button that says yes."""
    inverse: str = ""
    """The verb that takes it back, if there is one."""
    access: Access = Access.CHANGES
    examples: tuple[str, ...] = ()

    @property
    def positional(self) -> tuple[Argument, ...]:
        """Arguments that are given by their place."""
        return tuple(argument for argument in self.arguments if not is_option(argument))

    @property
    def options(self) -> tuple[Argument, ...]:
        """Arguments that are given by their name."""
        return tuple(argument for argument in self.arguments if is_option(argument))

    @property
    def changes(self) -> bool:
        """Whether it changes anything of the fleet: then it is kept before it is acknowledged."""
        return self.access is Access.CHANGES

    @property
    def usage(self) -> str:
        """`merge <session> [--head <sha>]`."""
        return " ".join([self.verb, *map(_usage_word, (*self.positional, *self.options))])


def is_option(argument: Argument) -> bool:
    """Whether an argument is written with its name."""
    return argument.option or argument.kind is Kind.FLAG


def _usage_word(argument: Argument) -> str:
    if argument.kind is Kind.FLAG:
        return f"[--{argument.name}]"
    shown = "|".join(argument.choices) or argument.name
    word = f"<{shown}>"
    if argument.kind in {Kind.MANY, Kind.TEXT}:
        word += "..."
    if argument.option:
        word = f"--{argument.name} <{'|'.join(argument.choices) or argument.kind.value}>"
    return word if argument.required else f"[{word}]"
