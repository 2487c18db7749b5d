"""Lets every plugin judge its own block of the configuration; problems come with file and line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from orchestrator.errors import AoError, NotFound
from orchestrator.ports.plugin import Plugin, Slot
from orchestrator.settings.effective import Settings
from orchestrator.settings.plugin_choice import PluginUse
from orchestrator.settings.problems import Grade, Problem, nearest


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
        self, slot: Slot[Any], name: str, options: Mapping[str, object] | None = None
    ) -> list[str]:
        """Programs that the plugin needs and that are absent here."""


def check_plugins(settings: Settings, plugins: Plugins) -> tuple[Problem, ...]:
    """What is wrong with the plugins that the configuration uses, and with their options."""
    found = (problem for use in settings.uses() for problem in _of_use(settings, use, plugins))
    return tuple(dict.fromkeys(found))


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
        message = f"There is no {use.slot} plugin {use.name!r} here{where}."
        yield settings.spots.problem(use.at, message, Grade.NOT_READY, nearest(use.name, known))
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
        yield settings.spots.problem(at, f"{_words(problem.text)} ({use.slot} {use.name})", nearest=close)
    missing = plugins.missing_programs(slot, use.name, use.options)
    if missing:
        message = f"The {use.slot} plugin {use.name!r} needs {', '.join(missing)}, not found on the PATH."
        yield settings.spots.problem(use.at, message, Grade.NOT_READY)


def _words(text: str) -> str:
    text = "This option is not known" if "Extra inputs" in text else text.removeprefix("Value error, ")
    return text.replace("Input should", "This should").rstrip(".")
