"""Which plugin stands for a slot and a name, and the one place where plugins are made.

Built-in plugins come from the catalog that `bot.app` hands in; others from entry points of group
`ao.plugins` and from files, both only when the configuration names them.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.metadata
import importlib.util
import json
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, cast

from orchestrator.errors import AoError, BadInput, Conflict, NotFound
from orchestrator.ports.plugin import OptionProblem, Options, Plugin, PluginContext, Slot
from orchestrator.settings.trust import file_digest

T = TypeVar("T")
GROUP = "ao.plugins"


class Registry:
    """Plugins by (slot, name). Each is made once for the same options and shared."""

    def __init__(self, catalog: Mapping[tuple[str, str], str], context: PluginContext) -> None:
        self._catalog = dict(catalog)
        self._context = context
        self._loaded: dict[tuple[str, str], Plugin[Any]] = {}
        self._made: dict[tuple[str, str, str], object] = {}
        self._outside: dict[str | Path, str] = {}
        """Entry points and files that were loaded, with what the file was like then."""

    def add(self, plugin: Plugin[Any], origin: str) -> None:
        """Register a plugin from outside. Two of one slot and name are refused with `Conflict`."""
        key = (plugin.slot.name, plugin.name)
        if key in self._catalog or key in self._loaded:
            msg = f"{origin} brings {plugin.slot.name} {plugin.name!r}, which is there already."
            raise Conflict(msg, next_step="Give the plugin another name.")
        self._loaded[key] = plugin

    def add_entry_point(self, name: str) -> None:
        """Load the entry point of that name in group `ao.plugins`; once. Raises `NotFound`, `BadInput`."""
        if name in self._outside:
            return
        found = [e for e in importlib.metadata.entry_points(group=GROUP) if e.name == name]
        if not found:
            msg = f"no installed package offers a plugin {name!r} (entry points of group {GROUP})."
            raise NotFound(msg, next_step="Install it into the environment that ao runs in.")
        self.add(_checked(_guarded(found[0].load, f"entry point {name}"), f"entry point {name}"), name)
        self._outside[name] = ""

    def add_file(self, path: Path) -> None:
        """Load `PLUGIN` from a file that a person trusted; once. Raises `NotFound`, `BadInput`.

        Raises `Conflict` for a file that is another one now: what was made of it is in use.
        """
        if not path.is_file():
            msg = f"plugin file {path} is not there."
            raise NotFound(msg)
        digest = file_digest(path)
        if path in self._outside:
            if self._outside[path] != digest:
                msg = f"{path} was changed since it was loaded."
                raise Conflict(msg, next_step="Stop ao and run `ao start` again: agents go on meanwhile.")
            return
        module_name = f"ao_plugin_{path.stem}"
        spec = importlib.util.spec_from_file_location(module_name, path)
        if spec is None or spec.loader is None:
            msg = f"{path} is no Python file."
            raise BadInput(msg)
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module
        loader = spec.loader
        _guarded(lambda: loader.exec_module(module), str(path))
        self.add(_checked(getattr(module, "PLUGIN", None), str(path)), str(path))
        self._outside[path] = digest

    def plugin(self, slot: Slot[T], name: str) -> Plugin[T]:
        """The plugin of that name. Raises `NotFound` naming the nearest; `AoError` if it fails to load."""
        key = (slot.name, name)
        if key not in self._loaded:
            if key not in self._catalog:
                raise NotFound(self._unknown(slot.name, name))
            self._loaded[key] = self._load(key)
        return cast("Plugin[T]", self._loaded[key])

    def _load(self, key: tuple[str, str]) -> Plugin[Any]:
        module_name, _, attribute = self._catalog[key].partition(":")
        origin = f"{key[0]} plugin {key[1]!r}"
        module = _guarded(lambda: importlib.import_module(module_name), origin)
        return _checked(getattr(module, attribute, None), origin)

    def _unknown(self, slot: str, name: str) -> str:
        known = self.names(slot)
        near = difflib.get_close_matches(name, known, 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        return f"there is no {slot} plugin {name!r}.{hint} Known: {', '.join(known)}."

    def names(self, slot: str) -> list[str]:
        """Names of all plugins of a slot that can be used."""
        return sorted({name for s, name in (*self._catalog, *self._loaded) if s == slot})

    def slots(self) -> list[str]:
        """The slots that have plugins."""
        return sorted({s for s, _ in (*self._catalog, *self._loaded)})

    def options(self, slot: Slot[T], name: str, raw: Mapping[str, object]) -> Options:
        """Validate a block. Raises `BadInput` with every problem in it."""
        problems = self.problems(slot, name, raw)
        if problems:
            rows = "; ".join(f"{'.'.join(map(str, p.path)) or 'block'}: {p.text}" for p in problems)
            msg = f"{slot.name} {name!r}: {rows}."
            raise BadInput(msg)
        return self.plugin(slot, name).options.model_validate(dict(raw))

    def problems(self, slot: Slot[T], name: str, raw: Mapping[str, object]) -> list[OptionProblem]:
        """Everything wrong in a plugin's block; the plugin's own model decides."""
        return self.plugin(slot, name).options.problems(raw)

    def create(self, slot: Slot[T], name: str, raw: Mapping[str, object]) -> T:
        """The plugin's instance for these options. Raises `NotFound`, `BadInput`, `NotReady`."""
        key = (slot.name, name, json.dumps(raw, sort_keys=True, default=str))
        if key not in self._made:
            plugin = self.plugin(slot, name)
            self._made[key] = plugin.create(self.options(slot, name, raw), self._context)
        return cast("T", self._made[key])

    def forget(self, made: object) -> None:
        """An instance is about to be closed: whoever asks for its options gets a new one."""
        self._made = {key: kept for key, kept in self._made.items() if kept is not made}

    def missing_programs(
        self, slot: Slot[T], name: str, options: Mapping[str, object] = MappingProxyType({})
    ) -> list[str]:
        """Programs that the plugin, or an option of it that is launched, needs and that are not here.

        An option `program`, where it is set, stands for the first that the plugin needs.
        """
        plugin, own = self.plugin(slot, name), options.get("program")
        needs = plugin.needs[1:] if isinstance(own, list | tuple) and own else plugin.needs
        launched = (options.get(option) for option in plugin.launches)
        wanted = (*needs, *(line[0] for line in launched if isinstance(line, list | tuple) and line))
        return [program for program in map(str, wanted) if _can_be_missed(program)]

    def not_ready(self, slot: Slot[T], name: str, raw: Mapping[str, object] = MappingProxyType({})) -> str:
        """Why the plugin could not be used here now (`Plugin.ready`). May block. Raises like `create`."""
        return self.plugin(slot, name).ready(self.options(slot, name, raw), self._context)

    def made(self) -> list[object]:
        """Every instance that was made, for closing them."""
        return list(self._made.values())


def _guarded(load: Callable[[], T], origin: str) -> T:
    """A plugin is somebody else's code: whatever it raises on loading becomes one clear error."""
    try:
        return load()
    except AoError:
        raise
    except (Exception, SystemExit) as error:
        # A module that ends the program on import would else end this one, without a word.
        msg = f"{origin} could not be loaded: {type(error).__name__}: {error}."
        raise BadInput(
            msg, next_step="Mend or remove it; ao does not start without a part in use."
        ) from error


def _checked(plugin: object, origin: str) -> Plugin[Any]:
    if not isinstance(plugin, Plugin):
        msg = f"{origin} has no PLUGIN = Plugin(...)."
        raise BadInput(msg, next_step="See orchestrator/ports/plugin.py.")
    return plugin


def _can_be_missed(program: str) -> bool:
    """Absent here. A placeholder, or a path within a workspace that is still to be made, may be there then."""
    if "{" in program or ("/" in program and not Path(program).is_absolute()):
        return False
    return shutil.which(program) is None
