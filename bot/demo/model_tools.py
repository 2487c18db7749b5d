"""A step as a call of whatever tool the agent offers for it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from bot.demo.model_conversation import Json, Tool
from bot.demo.model_plan import Step

_SHELLS = (
    "Bash",
    "bash",
    "exec_command",
    "shell_command",
    "shell",
    "local_shell",
    "run_shell_command",
    "execute_command",
    "developer__shell",
    "run_bash",
    "terminal",
)
_WRITERS = ("Write", "write", "write_file", "create_file", "create")
_BLANKS: Mapping[str, object] = {"integer": 1, "number": 1, "boolean": False, "array": [], "object": {}}
_PATHS = ("file_path", "filePath", "path", "absolute_path")
_PATCH = "*** Begin Patch\n*** {act} File: {path}\n{lines}\n*** End Patch\n"
_EDIT = (
    "import pathlib, sys; path, old, new = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]; "
    "text = path.read_text(); assert text.count(old) == 1, f'{text.count(old)} places'; "
    "path.write_text(text.replace(old, new))"
)
"""Edits a file where the agent has no tool for that but a shell."""
_PATIENCE = 30_000
"""Milliseconds that a shell tool with such an option shall wait before it says that the command goes on."""


@dataclass(frozen=True, slots=True)
class Call:
    """A tool by its name, with its input: an object, or text for a `custom` tool."""

    name: str
    input: Json | str


class NoTool(Exception):
    """The agent offers nothing that could play a step."""


def call_for(step: Step, tools: Mapping[str, Tool]) -> Call:
    """The call that plays a step. Raises `NoTool`."""
    if step.act == "tool":
        return Call(step.given["tool"], step.given.get("input", {}))
    if step.act == "write":
        return _write(step.given["write"], step.given.get("text", ""), tools)
    if step.act == "read":
        return _read(step.given["read"], tools)
    if step.act == "edit":
        return _edit(step.given["edit"], step.given.get("old", ""), step.given.get("new", ""), tools)
    if step.act == "ask":
        return _ask(step.given["ask"], step.given.get("options", []), tools)
    return _shell(step.given["sh"], tools)


def fill(schema: Json, offered: Mapping[str, object], blank: str = "stub") -> Json:
    """What is offered, as far as a JSON schema knows it, and something for all else that it requires."""
    properties = schema.get("properties") or {}
    filled = {key: _shaped(offered[key], properties[key]) for key in properties if key in offered}
    for key in schema.get("required") or ():
        if key not in filled:
            kind = (properties.get(key) or {}).get("type", "string")
            kind = kind[0] if isinstance(kind, list) else kind
            filled[key] = _BLANKS.get(str(kind).lower(), blank)
    return filled


def _shell(command: str, tools: Mapping[str, Tool]) -> Call:
    name = next((name for name in _SHELLS if name in tools), None)
    if name is None:
        msg = f"This stub model found no shell among the tools: {', '.join(tools)}."
        raise NoTool(msg)
    if tools[name].kind == "local_shell":
        return Call(name, {"command": ["bash", "-lc", command]})
    offered = {
        "command": command,
        "cmd": command,
        "description": "A step of the plan",
        "yield_time_ms": _PATIENCE,
    }
    return Call(name, fill(tools[name].schema, offered))


def _write(path: str, text: str, tools: Mapping[str, Tool]) -> Call:
    for name in _WRITERS:
        if name in tools:
            paths = dict.fromkeys(_PATHS, path)
            return Call(name, fill(tools[name].schema, {**paths, "content": text, "file_text": text}))
    if "apply_patch" in tools:
        lines = "\n".join(f"+{line}" for line in text.splitlines() or [""])
        return _patch(_PATCH.format(act="Add", path=path, lines=lines), tools["apply_patch"])
    folder = shlex.quote(str(PurePosixPath(path).parent))
    return _shell(f"mkdir -p {folder} && printf %s {shlex.quote(text)} > {shlex.quote(path)}", tools)


def _read(path: str, tools: Mapping[str, Tool]) -> Call:
    if "Read" in tools:
        return Call("Read", fill(tools["Read"].schema, dict.fromkeys(_PATHS, path)))
    return _shell(f"cat {shlex.quote(path)}", tools)


def _edit(path: str, old: str, new: str, tools: Mapping[str, Tool]) -> Call:
    """`old` and `new` are whole lines."""
    if "Edit" in tools:
        offered = {**dict.fromkeys(_PATHS, path), "old_string": old, "new_string": new}
        return Call("Edit", fill(tools["Edit"].schema, offered))
    if "apply_patch" in tools:
        lines = ["@@", *(f"-{line}" for line in old.splitlines()), *(f"+{line}" for line in new.splitlines())]
        return _patch(_PATCH.format(act="Update", path=path, lines="\n".join(lines)), tools["apply_patch"])
    return _shell(shlex.join(["python3", "-c", _EDIT, path, old, new]), tools)


def _ask(question: str, options: list[str], tools: Mapping[str, Tool]) -> Call:
    """By the agent's own tool for that, or by `ao`."""
    if "AskUserQuestion" in tools:
        choices = [{"label": option, "description": option} for option in options]
        asked = {"question": question, "header": "Question", "multiSelect": False, "options": choices}
        return Call("AskUserQuestion", {"questions": [asked]})
    return _shell(shlex.join(["ao", "ask", question, *(f"--option={option}" for option in options)]), tools)


def _patch(patch: str, tool: Tool) -> Call:
    if tool.kind == "custom":
        return Call("apply_patch", patch)
    return Call("apply_patch", fill(tool.schema, {"input": patch, "patch": patch}))


def _shaped(value: object, schema: dict[str, Any]) -> object:
    """A command as a list of arguments, where that is wanted."""
    if isinstance(value, str) and str(schema.get("type")).lower() == "array":
        return ["bash", "-lc", value]
    return value
