"""Lets every plugin judge its own block of the configuration; problems come with file and line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

from orchestrator.errors import AoError, NotFound
from orchestrator.ports.plugin import Plugin, Slot
from orchestrator.settings.document import Data
from orchestrator.settings.effective import Settings
from orchestrator.settings.plugin_choice import PluginUse
from orchestrator.settings.problems import Grade, KeyPath, Problem, Spots, nearest
from orchestrator.settings.validation import in_our_words

_NAMED = ("runtime", "agent", "workspace", "terminal", "tracker", "scm")
"""Keys of `defaults` and of a project that name a plugin of the slot of that name."""


class OptionProblem(Protocol):
    """One thing wrong in a block: where in the block, and what."""

    @property
    def path(self) -> tuple[str | int, ...]:
        """Keys within the block."""

    @property
    def text(self) -> str:
        """What is wrong."""


class Plugins(Protocol):
    """What is asked of the registry here."""

    def names(self, slot: str) -> list[str]:
        """Names of all plugins of a slot that can be used."""

    def plugin(self, slot: Slot[Any], name: str) -> Plugin[Any]:
        """The plugin of that name."""

    def problems(self, slot: Slot[Any], name: str, raw: Mapping[str, object]) -> Sequence[OptionProblem]:
        """Everything wrong in a plugin's block."""

    def missing_programs(
        self, slot: Slot[Any], name: str, options: Mapping[str, object] = MappingProxyType({})
    ) -> list[str]:
        """Programs that the plugin, or its options, need and that are absent here."""


def check_plugins(settings: Settings, plugins: Plugins) -> tuple[Problem, ...]:
    """What is wrong with the plugins that the configuration uses, and with their options."""
    found = (problem for use in settings.uses() for problem in _of_use(settings, use, plugins))
    return tuple(dict.fromkeys(found))


def check_names(data: Mapping[str, Data], spots: Spots, plugins: Plugins) -> tuple[Problem, ...]:
    """Plugins that are named and not here, in a configuration that has other errors: all are told at once."""
    projects = data.get("projects")
    blocks: list[tuple[KeyPath, Data]] = [(("defaults",), data.get("defaults"))]
    blocks += [(("projects", name), keys) for name, keys in _mapping(projects).items()]
    found = []
    for at, block in blocks:
        for slot in _NAMED:
            value = _mapping(block).get(slot)
            where = (*at, slot, "plugin") if isinstance(value, dict) else (*at, slot)
            name = _mapping(value).get("plugin") if isinstance(value, dict) else value
            known = plugins.names(slot)
            # What a package or a file brings is not known before it is loaded.
            outside = {"package", "path"} & _mapping(value).keys()
            if isinstance(name, str) and name not in known and not outside and not data.get("plugins"):
                found.append(_absent(spots, where, slot, name, known))
    return tuple(found)


def _mapping(value: Data) -> dict[str, Data]:
    return value if isinstance(value, dict) else {}


def _absent(
    spots: Spots, at: KeyPath, slot: str, name: str, known: Sequence[str], where: str = ""
) -> Problem:
    message = f"There is no {slot} plugin {name!r} here{where}."
    return spots.problem(at, message, Grade.NOT_READY, nearest(name, known))


def options_for(use: PluginUse, plugins: Plugins) -> dict[str, Any]:
    """The options to make the plugin with: those of `use` that the plugin's model is to judge."""
    return use.fitted(plugins.plugin(Slot(use.slot), use.name).options.model_fields)


def code_options(plugins: Plugins) -> Callable[[str, str], tuple[str, ...]]:
    """Asks which options of a plugin are run, for `trust.needs_trust`."""

    def ask(slot: str, name: str) -> tuple[str, ...]:
        try:
            return plugins.plugin(Slot(slot), name).runs_code
        except NotFound:
            return ()  # What is absent runs nothing.

    return ask


def _of_use(settings: Settings, use: PluginUse, plugins: Plugins) -> Iterator[Problem]:
    slot: Slot[Any] = Slot(use.slot)
    known = plugins.names(use.slot)
    if use.name not in known:
        where = " until it is loaded from outside" if use.external else ""
        yield _absent(settings.spots, use.at, use.slot, use.name, known, where)
        return
    try:
        model = plugins.plugin(slot, use.name).options
        problems = plugins.problems(slot, use.name, use.fitted(model.model_fields))
    except AoError as error:
        yield settings.spots.problem(use.at, str(error))
        return
    fields = [info.alias or name for name, info in model.model_fields.items()]
    for problem in problems:
        at = (*use.at, *problem.path)
        close = (
            nearest(str(problem.path[0]), fields) if problem.path and problem.path[0] not in fields else ""
        )
        yield settings.spots.problem(
            at, f"{in_our_words(problem.text)} ({use.slot} {use.name})", nearest=close
        )
    missing = plugins.missing_programs(slot, use.name, use.options)
    if missing:
        message = f"The {use.slot} plugin {use.name!r} needs {', '.join(missing)}, not found on the PATH."
        yield settings.spots.problem(use.at, message, Grade.NOT_READY)
