"""What in a configuration counts only once a person has trusted the file it stands in.

That is what runs code here, and what gives rights. Trust is given to a digest, which changes with
every edit and with the file's place; who keeps the trusted digests is not known here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.domain.guard import Guard
from orchestrator.errors import NotFound
from orchestrator.settings.effective import Settings
from orchestrator.settings.guard_model import GuardKeys
from orchestrator.settings.plugin_choice import PluginUse
from orchestrator.settings.policy_model import PolicyKeys
from orchestrator.settings.problems import KeyPath, camel, join
from orchestrator.settings.project_model import AgentConfig
from orchestrator.settings.reaction_model import Reaction
from orchestrator.settings.shapes import ConfigFile, digest

CodeOptions = Callable[[str, str], Collection[str]]
"""Slot and name of a plugin in, names of its options that are run out (`Plugin.runs_code`)."""

_RIGHTS = ("people", "roles", "budget")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One thing that needs trust, as it is shown to the person who is asked."""

    file: Path
    digest: str
    """Trusting means: keeping this."""
    what: str
    """In words: `runs a command in every new workspace`."""
    path: str
    line: int
    text: str
    """The value itself: what would be run or granted."""
    project: str = ""
    """Empty when it concerns the whole fleet."""


def file_digest(path: Path) -> str:
    """What is kept when a person trusts `path`: a file, or a folder with all Python files in it.

    Raises `NotFound` when there is nothing.
    """
    if not path.exists():
        msg = f"There is no {path}."
        raise NotFound(msg)
    if path.is_dir():
        whole = hashlib.sha256()
        for part in sorted(path.rglob("*.py")):
            whole.update(digest(part, part.read_bytes()).encode())
        return digest(path, whole.digest())
    return digest(path, path.read_bytes())


def needs_trust(settings: Settings, code_options: CodeOptions) -> tuple[Reason, ...]:
    """Everything in the configuration that counts only once its file is trusted, in the files' order."""
    found = [*_of_fleet(settings), *_of_plugins(settings, code_options)]
    for project in settings.config.projects:
        found += _of_project(settings, project)
    return tuple(dict.fromkeys(found))


def untrusted(reasons: Sequence[Reason], trusted: Collection[str]) -> tuple[Reason, ...]:
    """Those whose file nobody has trusted as it is now."""
    return tuple(reason for reason in reasons if reason.digest not in trusted)


def _of_fleet(settings: Settings) -> Iterator[Reason]:
    config = settings.config
    for key in _RIGHTS:
        if key in config.model_fields_set and getattr(config, key):
            yield _reason(settings, (key,), "decides who and what is allowed", join((key,)))
    console = config.console
    if console.public_url or console.trusted_proxies:
        shown = console.public_url or ", ".join(console.trusted_proxies)
        yield _reason(settings, ("console",), "lets other machines reach the fleet", shown)
    if config.sandbox == "off":
        yield _reason(settings, ("sandbox",), "lets agents run without a sandbox", "off")
    if config.defaults.approvals == 0:
        yield _reason(settings, ("defaults", "approvals"), "needs nobody's approval", "0")
    yield from _unguarded(settings, (), config.guard)
    yield from _allowed(settings, (), config.policy)
    yield from _auto_merge(settings, ("reactions",), config.reactions)
    for index, entry in enumerate(config.plugins):
        if entry.path and entry.enabled:
            yield from _file_that_runs(settings, ("plugins", index, "path"), entry.path)


def _of_project(settings: Settings, project: str) -> Iterator[Reason]:
    keys, at = settings.keys(project), ("projects", project)
    for index, command in enumerate(keys.post_create):
        yield _reason(settings, (*at, "postCreate", index), "runs in every new workspace", command)
    if keys.approvals == 0:
        yield _reason(settings, (*at, "approvals"), "needs nobody's approval", "0")
    if keys.budget:
        yield _reason(settings, (*at, "budget"), "decides who and what is allowed", "budget")
    yield from _unguarded(settings, at, keys.guard)
    yield from _allowed(settings, at, keys.policy)
    yield from _auto_merge(settings, (*at, "reactions"), keys.reactions)
    roles: tuple[tuple[KeyPath, AgentConfig], ...] = (
        ((), keys.agent_config),
        (("worker",), keys.worker.agent_config),
        (("orchestrator",), keys.orchestrator.agent_config),
    )
    for role, block in roles:
        if block.permissions == "permissionless":
            where = (*at, *role, "agentConfig", "permissions")
            yield _reason(settings, where, "lets agents do anything unasked", "permissionless")


def _allowed(settings: Settings, at: KeyPath, policy: PolicyKeys) -> Iterator[Reason]:
    """Rules that ask or deny take rights away: they count from the first."""
    for index, rule in enumerate(policy.allow):
        yield _reason(settings, (*at, "policy", "allow", index), "lets agents run this unasked", rule)


def _unguarded(settings: Settings, at: KeyPath, guard: GuardKeys) -> Iterator[Reason]:
    """What lets more out than the built-in guard does; more paths take only away."""
    built_in = Guard()
    limits = {"maxFiles": "max_files", "maxLines": "max_lines", "maxFileBytes": "max_file_bytes"}
    for shown, name in limits.items():
        if (getattr(guard, name) or 0) > getattr(built_in, name):
            yield _reason(
                settings, (*at, "guard", shown), "lets larger pushes out", str(getattr(guard, name))
            )
    for name in ("enabled", "secrets"):
        if getattr(guard, name) is False:
            yield _reason(settings, (*at, "guard", name), "lets pushes out unlooked at", "false")
    for index, path in enumerate(guard.allow):
        yield _reason(settings, (*at, "guard", "allow", index), "lets pushes change this unreleased", path)


def _auto_merge(settings: Settings, at: KeyPath, table: Mapping[str, Reaction]) -> Iterator[Reason]:
    for key, reaction in table.items():
        if reaction.action == "auto-merge":
            yield _reason(settings, (*at, key, "action"), "merges by itself", "auto-merge")


def _of_plugins(settings: Settings, code_options: CodeOptions) -> Iterator[Reason]:
    for use in settings.uses():
        if use.path:
            yield from _file_that_runs(settings, (*use.at, "path"), use.path)
        if use.name:
            yield from _options_that_run(settings, use, code_options(use.slot, use.name))


def _options_that_run(settings: Settings, use: PluginUse, names: Collection[str]) -> Iterator[Reason]:
    wanted = {camel(name) for name in names}
    for key, value in use.options.items():
        if camel(key) in wanted and value:
            yield _reason(
                settings, (*use.at, key), f"decides what the {use.slot} {use.name} runs or obeys", str(value)
            )


def _file_that_runs(settings: Settings, at: KeyPath, written: str) -> Iterator[Reason]:
    """The line that names the file, and the file itself: either may be changed."""
    yield _reason(settings, at, "loads code into ao itself", written)
    path = settings.beside(written, at)
    if path.exists():
        spot = settings.spots.find(at)
        yield Reason(
            file=path,
            digest=file_digest(path),
            what="is code that ao itself loads",
            path=join(at),
            line=spot.line,
            text=str(path),
            project=_project(at),
        )


def _reason(settings: Settings, at: KeyPath, what: str, text: str) -> Reason:
    problem = settings.spots.problem(at, what)
    files = {file.path: file for file in settings.files}
    file = files.get(problem.file) or ConfigFile(path=problem.file, digest="")
    return Reason(
        file=file.path,
        digest=file.digest,
        what=what,
        path=problem.path,
        line=problem.line,
        text=text,
        project=_project(at),
    )


def _project(at: KeyPath) -> str:
    return str(at[1]) if at[:1] == ("projects",) and len(at) > 1 else ""
