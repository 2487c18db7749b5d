"""Which plugin fills a slot, and with which options: inference, roles, one-way notifiers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from orchestrator.settings import builtin
from orchestrator.settings.models import Defaults, NotifierBlock
from orchestrator.settings.problems import KeyPath, camel
from orchestrator.settings.project_model import PluginBlock, ProjectKeys, RoleKeys
from orchestrator.settings.remote import host_of_api

GENERIC_OPTIONS = {"agent": {"permissions", "model"}, "scm": {"webhook"}}
"""Options that any plugin of a slot may be given; one that has no use for them is not wrong."""

DEFAULT_PERMISSIONS = "auto-edit"
"""The reference system's default lets agents do anything unasked; here that must be written down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class External:
    """A plugin from outside: the entry point called `name`, or the file at `path`."""

    name: str
    path: Path | None = None
    at: KeyPath = field(default=(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginUse:
    """A plugin that the configuration uses somewhere."""

    slot: str
    name: str
    """Where only a package or a path is named: made from it, and the plugin must bear that name."""
    options: Mapping[str, JsonValue] = field(default_factory=dict, repr=False)
    """Its own block, as written; secrets may stand in it."""
    at: KeyPath = ()
    """Where the block stands, for problems."""
    package: str = ""
    path: str = ""

    @property
    def external(self) -> bool:
        """It comes from a package or a file that the block names, so the catalog does not know it."""
        return bool(self.package or self.path)

    def fitted(self, accepted: Collection[str]) -> dict[str, JsonValue]:
        """The options for a plugin whose model has the fields `accepted` (in any spelling).

        Generic options that it has no use for are left out; anything else unknown stays, to be refused.
        """
        known = {camel(name) for name in accepted}
        generic = GENERIC_OPTIONS.get(self.slot, set()) - known
        return {key: value for key, value in self.options.items() if key not in generic}


def of_machine(defaults: Defaults, keys: ProjectKeys, slot: str, at: KeyPath) -> PluginUse:
    """Runtime and workspace: project, then `defaults`, then built-in."""
    name = getattr(keys, slot) or getattr(defaults, slot) or getattr(builtin.plugin_defaults(), slot)
    options: Mapping[str, JsonValue] = getattr(keys, f"{slot}_config")
    return PluginUse(slot=slot, name=name, options=options, at=(*at, f"{slot}Config" if options else slot))


def of_agent(defaults: Defaults, keys: ProjectKeys, role: str, asked: str, at: KeyPath) -> PluginUse:
    """What was asked for at spawn, then the project's role, project, the defaults' role, defaults."""
    own: RoleKeys = getattr(keys, role)
    standard = defaults.agent or builtin.plugin_defaults().agent
    usual = keys.agent or getattr(defaults, role).agent or standard
    of_role = own.agent or usual
    name = (asked if role == "worker" else "") or of_role
    options: dict[str, JsonValue] = {}
    model: str | None = None
    if name == usual:
        options |= keys.agent_config.own_options()
        model = keys.agent_config.model
        if role == "orchestrator":
            model = keys.agent_config.orchestrator_model or model
    if name == of_role:
        options |= own.agent_config.own_options()
        model = own.agent_config.model or model
        if role == "orchestrator":
            model = own.agent_config.orchestrator_model or model
    permissions = own.agent_config.permissions or keys.agent_config.permissions or DEFAULT_PERMISSIONS
    options["permissions"] = permissions
    if model:
        options["model"] = model
    block = (role, "agentConfig") if own.agent_config.model_fields_set else ("agentConfig",)
    return PluginUse(slot="agent", name=name, options=options, at=(*at, *block))


def of_forge(keys: ProjectKeys, slot: str, at: KeyPath, repo: str = "") -> PluginUse:
    """Tracker and scm: what the block names, else what `repo` and the other block suggest.

    `repo`: as the checkout's remote has it, where nothing is written.
    """
    block: PluginBlock | None = getattr(keys, slot)
    standard = str(getattr(_forge(keys, keys.repo or repo), slot))
    return _of_block(slot, standard, block, (*at, slot))


def of_notifier(name: str, block: NotifierBlock | None) -> PluginUse:
    """A notifier by the name that routing uses: its block's plugin, else a plugin of that name."""
    use = _of_block("notifier", name, block, ("notifiers", name))
    one_way = builtin.plugin_defaults().one_way.get(use.name)
    if use.external or one_way is None:
        return use
    options = dict(use.options)
    if "webhook" in options and not {"webhookUrl", "webhook_url"} & options.keys():
        options["webhookUrl"] = options.pop("webhook")
    if not {"webhookUrl", "webhook_url"} & options.keys():
        return use
    return PluginUse(slot=use.slot, name=one_way, options=options, at=use.at)


def file_inside(folder: Path, name: str | None) -> Path | None:
    """A regular file beneath `folder` that is reached without following a link out of it."""
    if not name:
        return None
    root, path = folder.resolve(), (folder / name).resolve()
    return path if path.is_file() and path.is_relative_to(root) else None


def _of_block(slot: str, standard: str, block: PluginBlock | None, at: KeyPath) -> PluginUse:
    if block is None:
        return PluginUse(slot=slot, name=standard, at=at)
    return PluginUse(
        slot=slot,
        name=block.plugin or _named_by(slot, block) or standard,
        options=block.options(),
        at=at,
        package=block.package or "",
        path=block.path or "",
    )


def _named_by(slot: str, block: PluginBlock) -> str:
    """`jira` for `package: ao-plugin-tracker-jira` and for `path: ./jira.py`."""
    if block.package:
        return block.package.rpartition("/")[2].removeprefix(f"ao-plugin-{slot}-")
    return Path(block.path).stem.replace("_", "-") if block.path else ""


def follows_remote(keys: ProjectKeys, *, is_local: bool) -> bool:
    """Whether the checkout's remote may say what `repo` does not: nothing written speaks against it.

    `is_local`: its pull requests so far are on this machine; there they stay unless something is written.
    """
    known = builtin.plugin_defaults()
    blocks = [block for block in (keys.tracker, keys.scm) if block is not None]
    forge = {known.with_repo.tracker, known.with_repo.scm}
    if keys.repo or any(block.plugin in forge for block in blocks):
        return not keys.repo
    if any(block.plugin or block.package or block.path for block in blocks):
        return False
    written = {camel(str(name)) for block in blocks for name in block.options()}
    return not is_local and not written & set(known.local_options)


def repo_hosts(keys: ProjectKeys) -> frozenset[str]:
    """Hosts at which a project's remote stands for its `repo`: the known ones, and those that are set."""
    blocks = [block.options() for block in (keys.tracker, keys.scm) if block is not None]
    written = [str(block.get("apiUrl") or block.get("api_url") or "") for block in blocks]
    set_here = {host_of_api(url) for url in written if url}
    return frozenset(set_here or builtin.plugin_defaults().repo_hosts)


def _forge(keys: ProjectKeys, repo: str) -> builtin.Pair:
    known = builtin.plugin_defaults()
    named = {block.plugin for block in (keys.tracker, keys.scm) if block and block.plugin}
    hosts = [str(block.options().get("host", "")) for block in (keys.tracker, keys.scm) if block]
    if "/" in repo:
        for forge in known.forges:
            if forge in named or any(forge in host.lower() for host in hosts):
                return builtin.Pair(tracker=forge, scm=forge)
        return known.with_repo
    return known.without_repo
