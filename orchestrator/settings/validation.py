"""Pydantic's errors as problems: our words, the line in the file, the key that may have been meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from orchestrator.settings.models import Config
from orchestrator.settings.problems import KeyPath, Problem, Spots, nearest


def problems_of(error: ValidationError, spots: Spots) -> Iterator[Problem]:
    """One problem for each thing that is wrong."""
    schema = _schema()
    for detail in error.errors(include_url=False):
        path: KeyPath = tuple(detail["loc"])
        if path and path[-1] == "[key]":
            path = path[:-1]
        yield spots.problem(path, _message(detail), nearest=_nearest(detail, path, schema))


def known_keys(schema: dict[str, Any], path: KeyPath) -> tuple[str, ...]:
    """The keys that a mapping at `path` may hold, as far as they are fixed."""
    node = _resolve(schema, schema)
    for part in path:
        properties = node.get("properties", {})
        if part in properties:
            node = properties[part]
        else:
            node = node.get("items", {}) if isinstance(part, int) else node.get("additionalProperties", {})
        node = _resolve(schema, node if isinstance(node, dict) else {})
    return tuple(node.get("properties", {}))


@cache
def _schema() -> dict[str, Any]:
    """Made once: it takes longer than all the rest of loading."""
    return Config.model_json_schema()


def _resolve(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """The node itself, behind references and "or nothing"."""
    while "$ref" in node or "anyOf" in node:
        if "$ref" in node:
            node = schema["$defs"][str(node["$ref"]).rpartition("/")[2]]
        else:
            node = next((choice for choice in node["anyOf"] if choice.get("type") != "null"), {})
    return node


def _message(detail: ErrorDetails) -> str:
    kind, text = detail["type"], detail["msg"]
    if kind == "extra_forbidden":
        return "This key is not known here."
    if kind == "missing":
        return "This key is needed."
    return f"{in_our_words(text)}."


def in_our_words(text: str) -> str:
    """What pydantic says, without its own names for things; no full stop."""
    text = re.sub(r" or instance of \w+", "", text).removeprefix("Value error, ")
    text = {"Field required": "This key is needed"}.get(text, text)
    text = text.replace("Extra inputs are not permitted", "This option is not known")
    text = text.replace("a valid dictionary", "a mapping").replace("a valid tuple", "a list")
    text = text.replace("Input should", "this should")
    return text[:1].upper() + text[1:].rstrip(".")


def _nearest(detail: ErrorDetails, path: KeyPath, schema: dict[str, Any]) -> str:
    if detail["type"] == "extra_forbidden" and path:
        return nearest(str(path[-1]), known_keys(schema, path[:-1]))
    if detail["type"] == "literal_error" and isinstance(detail["input"], str):
        expected = str(detail.get("ctx", {}).get("expected", ""))
        return nearest(detail["input"], list(expected.split("'")[1::2]))
    return ""
