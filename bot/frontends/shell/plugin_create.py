"""`ao plugin create`: a new plugin with its contract test, which passes from the first minute."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from bot.chat.message import Message
from bot.chat.request import Value
from bot.frontends.shell.console import Console
from bot.frontends.shell.machine import Machine, Surroundings
from orchestrator import resources
from orchestrator.errors import BadInput, Conflict

_NAME = re.compile(r"[a-z][a-z0-9]{0,30}(?:-[a-z0-9]{1,30}){0,4}")
_FOLDER_MODE = 0o755


def run(machine: Machine, where: Surroundings, console: Console, arguments: Mapping[str, Value]) -> int:
    """Write the folder; an existing one is refused with `Conflict`."""
    del machine
    slot, name = str(arguments["slot"]), str(arguments["name"])
    folder = Path(str(arguments.get("output") or Path(where.cwd) / name))
    files = texts(slot, name, folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        msg = f"{folder} is there already, and is not an empty folder."
        raise Conflict(msg, next_step="Give another one with --output.")
    folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    for file, text in files.items():
        (folder / file).write_text(text, encoding="utf-8")
    lines = (
        *(f"  {file}" for file in files),
        f"Run its test:  cd {folder} && python -m pytest",
        "It starts as the one in memory; replace it method by method.",
    )
    title = f"Wrote the {slot} plugin {name} into {folder}:"
    console.show(Message(title=title, lines=lines, data={"folder": str(folder), "files": list(files)}))
    return 0


def texts(slot: str, name: str, folder: Path) -> dict[str, str]:
    """The files by their names. Raises `BadInput` for a name that cannot be one."""
    if not _NAME.fullmatch(name):
        msg = f"{name!r} is no name of a plugin: a-z, 0-9 and -, beginning with a letter."
        raise BadInput(msg)
    class_name = "".join(part.capitalize() for part in name.split("-"))
    words = {
        "@SLOT@": slot,
        "@NAME@": name,
        "@MODULE@": f"ao_{slot}_{name.replace('-', '_')}",
        "@CLASS@": f"{class_name}{slot.capitalize()}",
        "@CONSTANT@": slot.upper(),
        "@PORT@": slot.capitalize(),
        "@FOLDER@": str(folder),
    }
    made = {
        f"{words['@MODULE@']}.py": "plugin.py",
        f"test_{words['@MODULE@']}.py": f"test_{slot}.py",
        "pyproject.toml": "pyproject.toml",
        "README.md": "README.md",
    }
    return {file: _filled(template, words) for file, template in made.items()}


def _filled(template: str, words: Mapping[str, str]) -> str:
    text = resources.text(f"templates/plugin/{template}.txt")
    for mark, word in words.items():
        text = text.replace(mark, word)
    return text
