"""`docs/plugins.md`, made from what each plugin says of itself: `python -m tests.architecture.plugin_manual`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from orchestrator.ports.plugin import Options, Plugin, PluginContext, Slot
from orchestrator.registry import Registry
from plugins.catalog import CATALOG

PATH = Path("docs/plugins.md")
MARK = "<!-- made from the plugins; python -m tests.architecture.plugin_manual -->\n"


def _registry() -> Registry:
    return Registry(CATALOG, PluginContext(home=Path("/"), data=lambda name: name))


def _default(model: type[Options], name: str) -> str:
    field = model.model_fields[name]
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, Options):
        value = value.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    elif value in ((), {}, None, ""):
        return ""
    text = json.dumps(value, default=str)
    return f"`{text}`" if len(text) <= 60 and text != "{}" else ""


def _options(model: type[Options]) -> list[str]:
    rows = []
    for name, field in model.model_fields.items():
        words = " ".join((field.description or "").split()).replace("|", "\\|")
        rows.append(f"| `{field.alias or name}` | {_default(model, name)} | {words} |")
    return ["| option | default | meaning |", "|---|---|---|", *rows] if rows else ["No options."]


def _plugin(plugin: Plugin[Any]) -> list[str]:
    needs = f" Needs {', '.join(f'`{n}`' for n in plugin.needs)}." if plugin.needs else ""
    summary = plugin.summary.rstrip(".")
    return [
        f"### {plugin.slot.name}: {plugin.name}",
        "",
        f"{summary[0].upper()}{summary[1:]}.{needs}",
        "",
        *_options(plugin.options),
        "",
    ]


def made() -> str:
    """Everything below the mark."""
    registry = _registry()
    rows: list[str] = []
    for slot, name in CATALOG:
        typed: Slot[Any] = Slot(slot)
        rows += _plugin(registry.plugin(typed, name))
    return "\n".join(rows)


def whole(document: str) -> str:
    """The document with its made part as it should be."""
    return document[: document.index(MARK)] + MARK + "\n" + made()


if __name__ == "__main__":
    PATH.write_text(whole(PATH.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{PATH}\n")
