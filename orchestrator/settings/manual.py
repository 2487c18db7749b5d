"""The tables of `docs/configuration.md`: every key from the models, every key of the reference system.

`python -m orchestrator.settings.manual docs` writes them into the page, between its markers.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchestrator.settings.document import Data, parse
from orchestrator.settings.models import Config

_AS = {"same": "same", "accepted": "accepted without effect", "changed": "changed on purpose"}
_MARKS = ("<!-- table: {} -->", "<!-- end of table: {} -->")


def reference_rows(folder: Path) -> list[dict[str, Data]]:
    """The rows of `reference-keys.yaml`."""
    file = folder / "reference-keys.yaml"
    # The file is a list, and `parse` takes mappings: it is put under a key.
    text = "rows:\n" + file.read_text(encoding="utf-8")
    rows = parse(text, file).data.get("rows")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def reference_table(rows: list[dict[str, Data]]) -> str:
    """What becomes of each key of the reference system, as Markdown."""
    lines = [f"| {_code(str(row['key']))} | {_AS[str(row['as'])]} | {row.get('why', '')} |" for row in rows]
    return "\n".join(["| key | here | why |", "|---|---|---|", *lines])


def keys_table() -> str:
    """Every key that a configuration may hold, as Markdown."""
    schema = Config.model_json_schema()
    lines = [
        f"| `{key}` | {_default(node)} | {node.get('description', '')} |"
        for key, node in _walk(schema, schema, "")
    ]
    return "\n".join(["| key | default | meaning |", "|---|---|---|", *lines])


def updated(page: str, folder: Path) -> str:
    """The page with its tables made anew."""
    tables = {"keys": keys_table(), "reference": reference_table(reference_rows(folder))}
    for name, table in tables.items():
        begin, end = (mark.format(name) for mark in _MARKS)
        head, _, rest = page.partition(begin)
        page = f"{head}{begin}\n{table}\n{end}{rest.partition(end)[2]}"
    return page


def _walk(schema: dict[str, Any], node: dict[str, Any], prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, child in node.get("properties", {}).items():
        key = f"{prefix}{name}"
        inner = _resolved(schema, child)
        items, values = inner.get("items"), inner.get("additionalProperties")
        if isinstance(items, dict) and "$ref" in items:
            key, inner = f"{key}[]", _resolved(schema, items)
        elif isinstance(values, dict) and "properties" in (one := _resolved(schema, values)):
            key, inner = f"{key}.{'<key>' if name == 'reactions' else '<id>'}", one
        yield key, {"description": inner.get("description", ""), **child}
        yield from _walk(schema, inner, f"{key}.")


def _resolved(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    if "anyOf" in node:
        node = next((choice for choice in node["anyOf"] if "$ref" in choice), node)
    while "$ref" in node:
        node = schema["$defs"][str(node["$ref"]).rpartition("/")[2]]
    return node


def _default(node: dict[str, Any]) -> str:
    value = node.get("default")
    if value in (None, {}, [], ()) or isinstance(value, dict):
        return ""
    return _code(str(value).lower() if isinstance(value, bool) else str(value))


def _code(text: str) -> str:
    return f"`{text}`"


def main(arguments: list[str]) -> None:
    """Write the tables into `configuration.md` of the folder that is named."""
    folder = Path(arguments[0] if arguments else "docs")
    page = folder / "configuration.md"
    page.write_text(updated(page.read_text(encoding="utf-8"), folder), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
