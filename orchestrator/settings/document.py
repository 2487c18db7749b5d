"""A YAML text as plain data, with the line of every key; doubled keys are problems.

Scalars are read as YAML 1.2 reads them (`off` and `22:00` are texts, `true` is a boolean), and only
JSON's kinds of values exist: a tag that would make any other object is a problem.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import yaml
from typing_extensions import override

from orchestrator.settings.problems import Grade, KeyPath, Problem, join

Data: TypeAlias = "dict[str, Data] | list[Data] | str | int | float | bool | None"

MAX_BYTES = 1_000_000
_MAX_VALUES = 50_000
"""Bounds what anchors can multiply."""
_MAX_DEPTH = 40


@dataclass(slots=True)
class Document:
    """One file's content. `data` is empty when the text cannot be read at all."""

    file: Path
    data: dict[str, Data] = field(default_factory=dict)
    lines: dict[KeyPath, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


class _Loader(yaml.SafeLoader):
    """PyYAML with the scalars of YAML 1.2."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own attribute
    _depth = 0

    @override
    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse what is nested deeper than anybody writes, long before the interpreter's own limit."""
        if self._depth > _MAX_DEPTH:
            msg = "it is nested too deeply"
            raise yaml.YAMLError(msg)
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


_SCALARS = (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("merge", r"<<", "<"),
)
for _name, _pattern, _first in _SCALARS:
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_name}",
        re.compile(f"^(?:{_pattern})$"),
        ["" if char == "\0" else char for char in _first],
    )


def parse(text: str, file: Path) -> Document:
    """Read `text`; everything that is wrong with it as YAML is in `problems`."""
    document = Document(file)
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        _complain(
            document, mark.line + 1 if mark else 0, f"This is no YAML: {error.problem or error.context}."
        )
        return document
    except yaml.YAMLError as error:
        _complain(document, 0, f"This is no YAML: {error}.")
        return document
    if root is None:
        return document
    if not isinstance(root, yaml.MappingNode):
        _complain(document, root.start_mark.line + 1, "A configuration is a mapping of keys to values.")
        return document
    document.data = _Builder(document).mapping(root, ())
    return document


def node_of(text: str) -> yaml.Node | None:
    """The node tree of a text that `parse` found to be right, for edits in place."""
    node: yaml.Node | None = yaml.compose(text, Loader=_Loader)
    return node


def quoted(value: str) -> str:
    """A text as one YAML scalar on one line, quoted where it must be."""
    shown: str = yaml.dump(value, Dumper=yaml.SafeDumper, width=10**6, allow_unicode=True, default_style=None)
    line = shown.removesuffix("\n").removesuffix("\n...")
    # PyYAML folds a text with line ends into several lines; the double-quoted form never does.
    return line if "\n" not in line else yaml.dump(value, default_style='"', width=10**6).strip()


def dump(data: object) -> str:
    """Plain data as YAML, keys in the given order."""
    text: str = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)
    return text


def _complain(document: Document, line: int, message: str, path: KeyPath = ()) -> None:
    document.problems.append(
        Problem(grade=Grade.ERROR, message=message, file=document.file, line=line, path=join(path))
    )


class _Builder:
    """Turns nodes into data. PyYAML's own constructor lets the last of two equal keys win, silently."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._values = 0

    def value(self, node: yaml.Node, path: KeyPath) -> Data:
        self._values += 1
        if self._values > _MAX_VALUES or len(path) > _MAX_DEPTH:
            if self._values <= _MAX_VALUES + 1:
                self._complain(node, path, "This holds too many values, or is nested too deeply.")
            self._values = _MAX_VALUES + 1
            return None
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return self._sequence(node, path)
        return self._scalar(node, path)

    def mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Data]:
        """The mapping's own keys, and those that `<<` brings in where it has none of its own."""
        seen: dict[str, int] = {}
        result: dict[str, Data] = {}
        inherited: list[yaml.Node] = []
        for key_node, value_node in node.value:
            if key_node.tag.endswith(":merge"):
                inherited.append(value_node)
                continue
            key = self._key(key_node, path)
            line = key_node.start_mark.line + 1
            if key in seen:
                self._complain(
                    key_node, (*path, key), f"This key is doubled: it stands in line {seen[key]} already."
                )
                continue
            seen[key] = line
            self._document.lines[(*path, key)] = line
            result[key] = self.value(value_node, (*path, key))
        for value_node in inherited:
            self._merge(result, value_node, path)
        return result

    def _merge(self, result: dict[str, Data], node: yaml.Node, path: KeyPath) -> None:
        for part in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            if not isinstance(part, yaml.MappingNode):
                self._complain(part, path, "`<<` takes a mapping.")
                continue
            before = dict(self._document.lines)
            for key, value in self.mapping(part, path).items():
                result.setdefault(key, value)
            self._document.lines.update(before)

    def _sequence(self, node: yaml.SequenceNode, path: KeyPath) -> list[Data]:
        items: list[Data] = []
        for index, item in enumerate(node.value):
            self._document.lines[(*path, index)] = item.start_mark.line + 1
            items.append(self.value(item, (*path, index)))
        return items

    def _key(self, node: yaml.Node, path: KeyPath) -> str:
        if isinstance(node, yaml.ScalarNode):
            return str(node.value)
        self._complain(node, path, "A key is a plain text.")
        return ""

    def _scalar(self, node: yaml.Node, path: KeyPath) -> Data:
        text = str(node.value)
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        try:
            if kind == "int":
                return int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
            if kind == "float":
                return float(text)
        except ValueError:
            self._complain(node, path, f"{text!r} is no number.")
            return None
        if kind not in {"str", "merge", "value"}:
            self._complain(node, path, f"The tag {node.tag!r} is not allowed here.")
        return text

    def _complain(self, node: yaml.Node, path: KeyPath, message: str) -> None:
        _complain(self._document, node.start_mark.line + 1, message, path)
