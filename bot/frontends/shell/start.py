"""`ao start`: run the fleet in this terminal."""

from __future__ import annotations

import asyncio
import logging
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bot.chat.request import Value
from bot.frontends.shell import init, stop
from bot.frontends.shell.console import Console
from bot.frontends.shell.machine import Machine, Surroundings
from orchestrator.errors import BadInput, Conflict, NotFound, PermanentError
from orchestrator.log import Lines
from orchestrator.settings.shapes import local_file

_ADDRESS = re.compile(r"(?:https?|ssh|git|file)://\S+|[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:\S+")
_CLONE_LIMIT = 600.0


def run(machine: Machine, where: Surroundings, console: Console, arguments: Mapping[str, Value]) -> int:
    """Serve until SIGTERM or Ctrl-C; returns the exit code. Raises `AoError`."""
    target = arguments.get("target")
    if isinstance(target, str) and target:
        folder = _folder(target, Path(where.cwd), console)
        config = local_file(folder) or init.write(machine, where, console, folder)
        where = replace(where, cwd=str(folder), config=str(config))
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(Lines())
    logging.basicConfig(handlers=[lines], level=logging.WARNING)
    live, ended = asyncio.run(
        machine.serve(where, lambda config, projects, lines: _ready(console, config, projects, lines))
    )
    console.note(f"ao has stopped.{stop.left(live, ended)}")
    return 0


def _ready(console: Console, config: Path, projects: Sequence[str], lines: Sequence[str]) -> None:
    named = ", ".join(projects) or "no project yet"
    first = projects[0] if projects else "<project>"
    console.tell(f"ao looks after: {named}. Ctrl-C stops it.")
    console.tell(f"Configuration: {config}")
    console.tell(f"In another shell: ao spawn {first} <issue>  |  ao status --watch  |  ao events --follow")
    for line in lines:
        console.tell(line)


def _folder(target: str, cwd: Path, console: Console) -> Path:
    """The repository that is meant: a folder, or one cloned from an address. Raises `AoError`."""
    if not _ADDRESS.fullmatch(target):
        folder = (cwd / Path(target).expanduser()).absolute()
        if not folder.is_dir():
            msg = f"there is no folder {folder}."
            raise NotFound(msg, next_step="Give a folder, or an address that git can clone.")
        return folder
    name = target.rstrip("/").rpartition("/")[2].rpartition(":")[2].removesuffix(".git")
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", name):
        msg = f"no folder's name can be made of {target!r}."
        raise BadInput(msg, next_step="Clone it yourself, then `ao start <folder>`.")
    return _cloned(target, cwd / name, console)


def _cloned(address: str, folder: Path, console: Console) -> Path:
    if folder.exists():
        if init.git(folder, "remote", "get-url", "origin") == address:
            return folder
        msg = f"{folder} is there already, and is no clone of {address}."
        raise Conflict(msg, next_step=f"`ao start {folder}` looks after it as it is.")
    console.note(f"Cloning {address} ...")
    command = ["git", "clone", "--quiet", "--", address, str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_CLONE_LIMIT, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        msg = f"{address} could not be cloned: {error}."
        raise PermanentError(msg) from error
    if done.returncode:
        msg = f"{address} could not be cloned: {done.stderr.strip()[-500:]}"
        raise PermanentError(msg)
    return folder
