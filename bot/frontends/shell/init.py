"""`ao init`: a configuration for a repository, found out as far as possible, and trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.actions import registry
from bot.chat.message import Message
from bot.chat.request import Value
from bot.frontends.shell import gateway
from bot.frontends.shell.console import Console
from bot.frontends.shell.machine import Machine, Surroundings
from bot.frontends.shell.repository import Found, git, look
from orchestrator.errors import AoError, Conflict
from orchestrator.ports.agent import AGENT
from orchestrator.registry import Registry
from orchestrator.services.trust import Trusted, trust_file
from orchestrator.settings import builtin
from orchestrator.settings.project_edit import NewProject, add_project
from orchestrator.settings.shapes import FILE_NAMES, id_from_folder, local_file
from orchestrator.storage.layout import Home

__all__ = ["git", "run", "write"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a person said; empty where it is to be found out."""

    name: str = ""
    agent: str = ""
    tests: str = ""


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
    console.show(
        Message(
            title=f"Wrote and trusted {path}.",
            next_steps=("start", f'spawn {project} "<what to do>"', "status --watch"),
            data={"file": str(path), "project": project},
        )
    )
    if console.can_ask and not console.json:
        _offer(machine, where, console, path, project)
    return 0


def write(
    machine: Machine, where: Surroundings, console: Console, folder: Path, wishes: Wishes | None = None
) -> Path:
    """Write and trust the configuration of the repository around `folder`; returns the file."""
    wishes = wishes or Wishes()
    found = look(folder)
    path = found.root / FILE_NAMES[0]
    plugins = machine.bench(where).registry
    entry = NewProject(
        id=wishes.name or id_from_folder(found.root),
        path=".",
        default_branch=found.branch,
        repo=_repo(found, plugins, console),
        checks=[check] if (check := wishes.tests or found.tests) else [],
        agent=_agent(wishes.agent, plugins, console),
    )
    add_project(path, entry, where.env)
    home = Home.default(where.env)
    home.prepare()
    trust_file(path, Trusted(home))
    return path


def _repo(found: Found, plugins: Registry, console: Console) -> str:
    """`owner/name`, where the forge's plugins are there; else the project lives on this machine."""
    if not found.repo:
        return ""
    if builtin.plugin_defaults().with_repo.scm in plugins.names("scm"):
        return found.repo
    console.note(
        f"{found.repo}: its forge is not built in yet; pull requests and issues stay on this machine."
    )
    return ""


def _agent(wanted: str, plugins: Registry, console: Console) -> str:
    """The agent that was named, or one whose program is here; empty when it is the default.

    Where none is, one that can be started as it is, so that `ao start` works and says what it runs.
    """
    if wanted:
        plugins.plugin(AGENT, wanted)
        return wanted
    default = builtin.plugin_defaults().agent
    names = plugins.names("agent")
    ready = [
        name
        for name in names
        if plugins.plugin(AGENT, name).needs and not plugins.missing_programs(AGENT, name)
    ]
    if default in ready:
        return ""
    if ready:
        return ready[0]
    # One that needs no options can be started at once; the others must be described first.
    stand_in = next((name for name in names if not plugins.problems(AGENT, name, {})), "")
    console.note("No coding agent's program was found on the PATH.")
    if stand_in:
        console.note(f"Agent {stand_in} stands in: {plugins.plugin(AGENT, stand_in).summary}")
    console.note("Any program can be described as an agent: docs/plugins.md shows how.")
    return stand_in


def _offer(machine: Machine, where: Surroundings, console: Console, path: Path, project: str) -> None:
    """Ask whether the first open issue is to be spawned; what goes wrong here is only told."""
    here = Surroundings(env=where.env, cwd=str(path.parent), config=str(path))
    try:
        shown = gateway.run(machine, here, registry.load("issues"), {"project": project}, None).message
        data = shown.data if isinstance(shown.data, dict) else {}
        issues = data.get("issues")
        first = issues[0] if isinstance(issues, list) and issues else None
        if not isinstance(first, dict):
            return
        title = Message(title=f"The first open issue: {first.get('ref')} {first.get('title')}")
        if console.ask(title, "Spawn an agent on it now?"):
            asked: dict[str, Value] = {"project": project, "issue": str(first.get("ref"))}
            answer = gateway.run(machine, here, registry.load("spawn"), asked, None)
            console.show(answer.message)
            if not answer.watched:
                console.note(gateway.NOT_WATCHED)
    except AoError as error:
        console.error(error)
