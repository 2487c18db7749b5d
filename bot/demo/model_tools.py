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
_PATCH = "*** Begin Patch\n*** Add File: {path}\n{lines}\n*** End Patch\n"
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
            paths = dict.fromkeys(("file_path", "filePath", "path", "absolute_path"), path)
            return Call(name, fill(tools[name].schema, {**paths, "content": text, "file_text": text}))
    if "apply_patch" in tools:
        patch = _PATCH.format(path=path, lines="\n".join(f"+{line}" for line in text.splitlines() or [""]))
        if tools["apply_patch"].kind == "custom":
            return Call("apply_patch", patch)
        return Call("apply_patch", fill(tools["apply_patch"].schema, {"input": patch, "patch": patch}))
    folder = shlex.quote(str(PurePosixPath(path).parent))
    return _shell(f"mkdir -p {folder} && printf %s {shlex.quote(text)} > {shlex.quote(path)}", tools)


def _shaped(value: object, schema: dict[str, Any]) -> object:
    """A command as a list of arguments, where that is wanted."""
    if isinstance(value, str) and str(schema.get("type")).lower() == "array":
        return ["bash", "-lc", value]
    return value
