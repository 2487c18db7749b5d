"""Markdown files that begin with a block of settings (front matter): read, and edited in place.

The only place where plugins meet YAML. All values are read as text: `no`, `010` and `2026-01-01`
stay what was written. An edit replaces only the lines of the settings that change, so that a
person's comments, order and unknown settings stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import yaml

from orchestrator.errors import BadInput

Value: TypeAlias = str | tuple[str, ...]
"""A setting: a text, or a list of texts. Anything deeper is left alone and not shown."""

LIMIT = 8_000
"""Characters of settings that are read: PyYAML's time grows with the square of what it nests."""

_FENCE = "---"
_NESTING = ("[", "{", "- ", "? ", "&", "*")
_NESTED_AT_MOST = 400


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """A file taken apart. `fields` holds the settings that are a text or a list of texts."""

    block: str
    """The settings as written, without the lines `---`; empty without front matter."""
    body: str
    fields: Mapping[str, Value] = field(default_factory=dict)


def parse(text: str) -> FrontMatter:
    """Take a file apart. Raises `BadInput`, with the line, for settings that cannot be read."""
    lines = text.splitlines(keepends=True)
    if not lines or lines[0].rstrip() != _FENCE:
        return FrontMatter(block="", body=text)
    end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() == _FENCE), None)
    if end is None:
        msg = "The front matter that begins in line 1 does not end: a line --- is missing."
        raise BadInput(msg)
    block = "".join(lines[1:end])
    return FrontMatter(
        block=block,
        body="".join(lines[end + 1 :]),
        fields={key.value: value for key, node in _pairs(block) if (value := _value(node)) is not None},
    )


def edit(document: FrontMatter, changes: Mapping[str, Value]) -> str:
    """The whole file with these settings changed or added, and everything else untouched."""
    block = document.block
    for name, value in changes.items():
        block = _replace(block, name, f"{name}: {_written(value)}\n")
    return f"{_FENCE}\n{block}{_FENCE}\n{document.body}"


def _replace(block: str, name: str, line: str) -> str:
    for key, node in _pairs(block):
        if key.value != name:
            continue
        old = block[key.start_mark.index : node.end_mark.index]
        # A block list ends where the next thing begins: line ends and comments after it are not its own.
        kept = old.rstrip()
        while (cut := kept.rfind("\n")) >= 0 and kept[cut:].lstrip().startswith("#"):
            kept = kept[:cut].rstrip()
        rest = block[key.start_mark.index + len(kept) :]
        return block[: key.start_mark.index] + line.rstrip("\n") + (rest or "\n")
    joint = "" if not block or block.endswith("\n") else "\n"
    return block + joint + line


def _pairs(block: str) -> Sequence[tuple[yaml.ScalarNode, yaml.Node]]:
    if len(block) > LIMIT or sum(map(block.count, _NESTING)) > _NESTED_AT_MOST:
        msg = f"The front matter cannot be read: it has more than {LIMIT} characters or {_NESTED_AT_MOST} lists."
        raise BadInput(msg)
    try:
        root = yaml.compose(block, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 2}: " if mark else ""
        msg = f"The front matter cannot be read: {where}{error.problem or 'not valid YAML'}."
        raise BadInput(msg) from error
    except (yaml.YAMLError, RecursionError) as error:
        msg = "The front matter cannot be read: it is not valid YAML."
        raise BadInput(msg) from error
    if root is None:
        return ()
    if not isinstance(root, yaml.MappingNode):
        msg = "The front matter must be lines of `name: value`."
        raise BadInput(msg)
    return _checked(root)


def _checked(root: yaml.MappingNode) -> Sequence[tuple[yaml.ScalarNode, yaml.Node]]:
    pairs: list[tuple[yaml.ScalarNode, yaml.Node]] = []
    names: set[str] = set()
    for key, node in root.value:
        if not isinstance(key, yaml.ScalarNode) or key.value in names:
            msg = f"The front matter cannot be read: line {key.start_mark.line + 2}: a name is doubled or no text."
            raise BadInput(msg)
        names.add(key.value)
        pairs.append((key, node))
    return pairs


def _value(node: yaml.Node) -> Value | None:
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    if isinstance(node, yaml.SequenceNode) and all(isinstance(item, yaml.ScalarNode) for item in node.value):
        return tuple(str(item.value) for item in node.value)
    return None


def _written(value: Value) -> str:
    """A value on one line, quoted where YAML needs it."""
    plain = value if isinstance(value, str) else list(value)
    dumped = yaml.safe_dump(plain, default_flow_style=True, allow_unicode=True, width=float("inf"))
    return dumped.removesuffix("...\n").strip()
