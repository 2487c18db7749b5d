"""`ao init`: a configuration for a repository, found out as far as possible, and trusted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bot.actions import registry
from bot.chat.message import Message
from bot.chat.request import Value
from bot.frontends.shell import gateway
from bot.frontends.shell.console import Console
from bot.frontends.shell.machine import Machine, Surroundings
from orchestrator.errors import AoError, Conflict
from orchestrator.services.new_project import Wishes, propose
from orchestrator.services.repository import git, look
from orchestrator.services.trust import Trusted, trust_file
from orchestrator.settings.project_edit import add_project
from orchestrator.settings.shapes import FILE_NAMES, id_from_folder, local_file
from orchestrator.storage.layout import Home

__all__ = ["git", "run", "write"]


def run(machine: Machine, where: Surroundings, console: Console, arguments: Mapping[str, Value]) -> int:
    """Write the file, trust it, say what comes next, and offer the first issue. Raises `AoError`."""
    folder = Path(str(arguments.get("path") or where.cwd))
    wishes = Wishes(**{name: str(arguments.get(name) or "") for name in ("name", "agent", "tests")})
    there = local_file(look(folder).root)
    if there is not None:
        msg = f"there is a configuration: {there}."
        raise Conflict(msg, next_step="`ao config check` says what is wrong with it; `ao start` uses it.")
    path = write(machine, where, console, folder, wishes)
    project = wishes.name or id_from_folder(path.parent)
    runs = gateway.client_for(where).running()
    # A server that runs knows the project only once it is added there.
    first = None if runs else _first_issue(machine, where, console, path, project)
    what = first[0] if first else '"<what to do>"'
    begin = f"project add {path.parent}" if runs else "start"
    console.show(
        Message(
            title=f"Wrote and trusted {path}.",
            next_steps=(begin, f"spawn {project} {what}", "status --watch"),
            data={"file": str(path), "project": project},
        )
    )
    if first and console.can_ask and not console.json:
        _offer(machine, where, console, path, project, first)
    return 0


def write(
    machine: Machine, where: Surroundings, console: Console, folder: Path, wishes: Wishes | None = None
) -> Path:
    """Write and trust the configuration of the repository around `folder`; returns the file."""
    wishes = wishes or Wishes()
    found = look(folder)
    path = found.root / FILE_NAMES[0]
    plugins = machine.bench(where).registry
    proposal = propose(found, wishes, plugins, path=".")
    for note in proposal.notes:
        console.note(note)
    add_project(path, proposal.entry, where.env)
    home = Home.default(where.env)
    home.prepare()
    trust_file(path, Trusted(home))
    return path


def _first_issue(
    machine: Machine, where: Surroundings, console: Console, path: Path, project: str
) -> tuple[str, str] | None:
    """Reference and title of the first open issue; what goes wrong here is only told."""
    here = Surroundings(env=where.env, cwd=str(path.parent), config=str(path))
    try:
        shown = gateway.run(machine, here, registry.load("issues"), {"project": project}, None).message
    except AoError as error:
        console.error(error)
        return None
    data = shown.data if isinstance(shown.data, dict) else {}
    issues = data.get("issues")
    first = issues[0] if isinstance(issues, list) and issues else None
    return (str(first.get("ref")), str(first.get("title"))) if isinstance(first, dict) else None


def _offer(
    machine: Machine, where: Surroundings, console: Console, path: Path, project: str, first: tuple[str, str]
) -> None:
    """Ask whether it is to be spawned; what goes wrong here is only told."""
    here = Surroundings(env=where.env, cwd=str(path.parent), config=str(path))
    reference, words = first
    if not console.ask(
        Message(title=f"The first open issue: {reference} {words}"), "Spawn an agent on it now?"
    ):
        return
    try:
        asked: dict[str, Value] = {"project": project, "issue": reference}
        answer = gateway.run(machine, here, registry.load("spawn"), asked, None)
        console.show(answer.message)
        if not answer.watched:
            console.note(gateway.NOT_WATCHED)
    except AoError as error:
        console.error(error)
