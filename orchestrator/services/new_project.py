"""The entry of a project that is new to the configuration: what a person said, and what is found out.

`ao init` and `ao project add` ask here, so that what either writes can be spawned on at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from orchestrator.ports.agent import AGENT
from orchestrator.ports.scm import SCM
from orchestrator.registry import Registry
from orchestrator.services.repository import Found
from orchestrator.settings import builtin
from orchestrator.settings.document import Data
from orchestrator.settings.own_file import OwnFile
from orchestrator.settings.project_edit import NewProject
from orchestrator.settings.shapes import id_from_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a person said; empty where it is to be found out, or follows from the defaults."""

    name: str = ""
    agent: str = ""
    tests: str = ""
    branch: str = ""
    repo: str = ""
    prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """The entry, and what a person should know of it."""

    entry: NewProject
    notes: tuple[str, ...] = ()


def _with_own(wishes: Wishes, own: OwnFile, notes: list[str]) -> tuple[Wishes, Mapping[str, Data]]:
    """What the repository's own file says where a person said nothing, and all else that it says."""
    keys = dict(own.keys)
    told = {"repo": "repo", "branch": "defaultBranch", "prefix": "sessionPrefix", "agent": "agent"}
    said = {name: str(keys.pop(key, "") or "") for name, key in told.items()}
    said["name"] = own.id
    asked = {field: value for field, value in asdict(wishes).items() if value}
    scm = keys.get("scm")
    if wishes.tests and isinstance(scm, dict):
        keys["scm"] = {**scm, "checks": [wishes.tests]}
    notes.append(f"Taken over from {own.path}: {', '.join(own.keys) or 'nothing, it says no more'}.")
    if own.left:
        notes.append(f"Not taken, as it counts in that file alone: {', '.join(own.left)}.")
    return replace(wishes, **{**said, **asked}), keys


def propose(
    found: Found,
    wishes: Wishes,
    plugins: Registry,
    *,
    path: str,
    default_agent: str = "",
    own: OwnFile | None = None,
) -> Proposal:
    """The entry of a repository. Raises `NotFound` for an agent that is not there.

    `path` is how the file names the repository, `default_agent` the one that the file has for all projects,
    `own` what the repository's own configuration says.
    """
    notes: list[str] = []
    more: Mapping[str, Data] = {}
    if own is not None:
        wishes, more = _with_own(wishes, own, notes)
    repo = wishes.repo or ("" if {"tracker", "scm"} & more.keys() else _repo(found, plugins, notes))
    agent = _agent(wishes.agent, default_agent, plugins, notes)
    # A forge that is elsewhere has its checks there.
    tests = "" if "scm" in more else wishes.tests or ("" if repo else found.tests)
    entry = NewProject(
        id=wishes.name or id_from_folder(found.root),
        path=path,
        default_branch=wishes.branch or found.branch,
        repo=repo,
        session_prefix=wishes.prefix,
        checks=[tests] if tests else [],
        agent=agent,
        local=bool(found.repo) and not repo and not {"tracker", "scm"} & more.keys(),
        more=more,
    )
    return Proposal(entry=entry, notes=tuple(notes))


def _repo(found: Found, plugins: Registry, notes: list[str]) -> str:
    """`owner/name`, where its forge can be used; else the project lives on this machine, with a word why."""
    stays = "pull requests and issues stay on this machine."
    if found.elsewhere:
        notes.append(
            f"{found.elsewhere}: whose forge that is cannot be seen from here; {stays} GitHub Enterprise is used with"
            " `apiUrl` and `tokenEnv` in the file; docs/github.md says how. Other forges are not built in."
        )
    if not found.repo:
        return ""
    forge = builtin.plugin_defaults().with_repo
    name = forge.scm
    if name not in plugins.names("scm") or forge.tracker not in plugins.names("tracker"):
        notes.append(f"{found.repo}: its forge is not built in yet; {stays}")
        return ""
    why = plugins.not_ready(SCM, name)
    if why:
        notes.append(f"{found.repo}: {why}")
        notes.append(
            f"Until then {stays} Take `plugin: local` out of the file once it can be used; docs/github.md."
        )
        return ""
    notes.append(
        f"Issues and pull requests are those of {found.repo}; `ao github doctor` looks whether all is well."
    )
    return found.repo


def _agent(wanted: str, default: str, plugins: Registry, notes: list[str]) -> str:
    """The agent that was named, or one whose program is here; empty when it is the default.

    Where none is, one that can be started as it is, so that a spawn works and says what it runs.
    """
    if wanted:
        plugins.plugin(AGENT, wanted)
        return wanted
    names = plugins.names("agent")
    if default in names:
        return ""
    ready = [
        name
        for name in names
        if plugins.plugin(AGENT, name).needs and not plugins.missing_programs(AGENT, name)
    ]
    if not default and builtin.plugin_defaults().agent in ready:
        return ""
    if ready:
        return ready[0]
    # One that needs neither a program nor options can be started at once; others are installed or described first.
    at_once = (name for name in names if not plugins.plugin(AGENT, name).needs)
    stand_in = next((name for name in at_once if not plugins.problems(AGENT, name, {})), "")
    notes.append("No coding agent's program was found on the PATH.")
    notes += (
        f"To have {name}: `{plugins.plugin(AGENT, name).install}`, then `agent: {name}` in the file."
        for name in names
        if plugins.plugin(AGENT, name).install
    )
    if stand_in:
        notes.append(f"Agent {stand_in} stands in: {plugins.plugin(AGENT, stand_in).summary}")
    notes.append("Any program can be described as an agent: docs/plugins.md shows how.")
    return stand_in
