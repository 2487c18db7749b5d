"""Which plugins there are, which are in use, and what they need here."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.errors import AoError
from orchestrator.ports.plugin import Slot
from orchestrator.services.core import Core


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginRow:
    """One plugin."""

    slot: str
    name: str
    summary: str
    used: bool
    missing: tuple[str, ...]
    """Programs that it needs and that are not on the PATH."""
    trouble: str = ""
    """Why it could not be loaded."""


async def listed(core: Core) -> list[PluginRow]:
    """Every plugin that could be used, by slot."""
    return await core.files.run("configuration", _rows, core)


def _rows(core: Core) -> list[PluginRow]:
    """Loading plugins and looking for programs reads files."""
    used = {(use.slot, use.name) for use in core.settings.uses()}
    return [
        _row(core, slot, name, (slot, name) in used)
        for slot in core.registry.slots()
        for name in core.registry.names(slot)
    ]


def _row(core: Core, slot: str, name: str, used: bool) -> PluginRow:  # noqa: FBT001 - a column
    typed: Slot[object] = Slot(slot)
    try:
        plugin = core.registry.plugin(typed, name)
    except AoError as error:
        return PluginRow(slot=slot, name=name, summary="", used=used, missing=(), trouble=str(error))
    missing = tuple(core.registry.missing_programs(typed, name))
    return PluginRow(slot=slot, name=name, summary=plugin.summary, used=used, missing=missing)
