"""Keys of a configuration file, from the top. These models are the one source of the JSON schema."""

from __future__ import annotations

from typing import Literal

from pydantic import ByteSize, Field, field_validator

from orchestrator.domain.rules import MergeMethod, OnMerge, RestorePolicy
from orchestrator.settings.base import Keys, Loose
from orchestrator.settings.chat_model import Chat
from orchestrator.settings.console_model import Console
from orchestrator.settings.guard_model import GuardKeys
from orchestrator.settings.people_model import Group, Handle, PersonKeys, RoleName
from orchestrator.settings.policy_model import PolicyKeys
from orchestrator.settings.project_model import PluginBlock, ProjectKeys
from orchestrator.settings.reaction_model import Reaction
from orchestrator.settings.values import AtLeastOne, Count, Milliseconds, Name, Port, ProjectName, Seconds
from orchestrator.settings.webhooks_model import Webhooks


class Power(Keys):
    """The machine's own sleep."""

    prevent_idle_sleep: bool = Field(
        default=True, description="Keep the machine awake while `ao start` runs."
    )


class Lifecycle(Keys):
    """When sessions are looked at, doubted and taken down."""

    auto_cleanup_on_merge: bool = Field(
        default=True,
        description="Take a session down once its pull request is merged; unsaved work is saved first.",
    )
    merge_cleanup_idle_grace_ms: Milliseconds = Field(
        default=300_000,
        description="How long a busy agent may go on after the merge, in milliseconds: 0, or 10 s and more.",
    )
    detecting_for: Seconds = Field(
        default=300.0, description="How long at most a session may be in doubt, alive or dead."
    )
    detecting_looks: AtLeastOne = Field(
        default=3, description="Looks in a row without a sign of life before a session counts as dead."
    )

    intake: Seconds = Field(
        default=60.0,
        description="How often a tracker is asked for issues whose label hands them to an agent; "
        "sooner when a webhook tells of one.",
    )

    @field_validator("merge_cleanup_idle_grace_ms")
    @classmethod
    def _no_seconds(cls, value: int) -> int:
        if 0 < value < 10_000:
            msg = f"{value} ms is too short for an agent to end its turn: 0, or at least 10000 (10s)"
            raise ValueError(msg)
        return value


class RoleDefaults(Keys):
    """What differs for one role of agents in every project."""

    agent: Name | None = Field(default=None, description="Agent plugin for this role.")


class Defaults(Keys):
    """What every project uses unless it says otherwise."""

    runtime: Name | None = Field(default=None, description="Plugin that holds the agents' terminals.")
    agent: Name | None = Field(default=None, description="Agent plugin.")
    workspace: Name | None = Field(default=None, description="Plugin that makes the agents' workspaces.")
    terminal: Name | None = Field(
        default=None, description="Plugin that opens a session's terminal for a person."
    )
    terminal_config: Loose = Field(default={}, description="Options of the terminal plugin.")
    notifiers: tuple[Name, ...] | None = Field(
        default=None,
        description="Who is told where `notificationRouting` is silent: every configured one if left out.",
    )
    orchestrator: RoleDefaults = Field(default=RoleDefaults(), description="The orchestrator agents.")
    worker: RoleDefaults = Field(default=RoleDefaults(), description="The agents that work on tasks.")
    approvals: Count = Field(default=1, description="Approvals that a pull request needs; 0 is none.")
    merge_method: MergeMethod = Field(default="squash", description="How a pull request gets into its base.")
    on_merge: OnMerge = Field(
        default="close",
        description="What a merge does to the issue: close it, comment there and leave it open, or leave it.",
    )
    restore: RestorePolicy = Field(
        default="ask", description="Sessions after a reboot: ask first, or restore."
    )


class PluginEntry(Keys):
    """A plugin from outside. Built-in ones need no entry."""

    name: Name = Field(description="The plugin's name, as its own manifest gives it.")
    source: Literal["registry", "npm", "local", "entry-point"] = Field(
        default="entry-point",
        description="Where it comes from: an installed package's entry point, or a `path`.",
    )
    package: Name | None = Field(default=None, description="The package that brings it.")
    version: str | None = Field(default=None, description="Version of the package; accepted without effect.")
    path: str | None = Field(
        default=None, min_length=1, description="The file that holds it. Runs only once this file is trusted."
    )
    enabled: bool = Field(default=True, description="False: as if it were not listed.")


class Dashboard(Keys):
    """How the browser shows the fleet."""

    attention_zones: Literal["simple", "detailed"] = Field(
        default="simple", description="Four or five columns."
    )


class NotifierBlock(PluginBlock):
    """One place that people are told at. Keys besides `plugin` are the plugin's own options."""

    plugin: Name | None = Field(
        default=None, description="The plugin's name; the notifier's key if left out."
    )


class Limits(Keys):
    """How much runs at once. What is above waits, visibly and in order."""

    sessions: AtLeastOne = Field(default=30, description="Sessions that run at once, over all projects.")
    per_project: AtLeastOne | None = Field(
        default=None, description="Sessions that run at once in one project."
    )
    memory: ByteSize = Field(
        default=ByteSize(512 * 1024 * 1024),
        description="Free memory that one more agent needs; 0 does not look. Common agents hold 300 to 500 MB idle.",
    )


class Config(Keys):
    """A whole configuration file: settings of the fleet, and its projects."""

    schema_: str | None = Field(
        default=None, alias="$schema", description="Address of this schema, for editors."
    )
    projects: dict[ProjectName, ProjectKeys] = Field(default={}, description="The projects, by id.")
    defaults: Defaults = Field(
        default=Defaults(), description="What every project uses unless it says otherwise."
    )
    reactions: dict[str, Reaction] = Field(
        default={}, description="What is done by itself, laid field by field over the built-in table."
    )
    notifiers: dict[Name, NotifierBlock] = Field(
        default={}, description="Places that people are told at, by name."
    )
    notification_routing: dict[Literal["urgent", "action", "warning", "info"], tuple[Name, ...]] = Field(
        default={}, description="Who is told what; a level left out goes to `defaults.notifiers`."
    )
    ready_threshold_ms: Milliseconds = Field(
        default=300_000,
        description="How long a turn must have been over before `agent-idle` does something, in ms; "
        "its own `threshold` goes first.",
    )
    lifecycle: Lifecycle = Field(default=Lifecycle(), description="When sessions are doubted and taken down.")
    limits: Limits = Field(default=Limits(), description="How much runs at once.")
    sandbox: Literal["auto", "required", "off"] = Field(
        default="auto", description="Agents in a sandbox: where it can be had, always or not at all, never."
    )
    plugins: tuple[PluginEntry, ...] = Field(default=(), description="Plugins from outside.")
    port: Port = Field(
        default=3000,
        description="Where it is written, the port of `console.listen` unless that is written too.",
    )
    console: Console = Field(
        default=Console(), description="Where the browser's side and the API for colleagues listen."
    )
    webhooks: Webhooks | None = Field(
        default=None,
        description="Where forges tell us what happens; without this block they are asked every now and then.",
    )
    terminal_port: Port | None = Field(default=None, description="Terminals are served on `port`.")
    direct_terminal_port: Port | None = Field(default=None, description="Terminals are served on `port`.")
    power: Power = Field(default=Power(), description="The machine's own sleep.")
    project_order: tuple[str, ...] = Field(
        default=(), description="Order of the projects where they are listed."
    )
    dashboard: Dashboard = Field(default=Dashboard(), description="How the browser shows the fleet.")
    chat: Chat = Field(default=Chat(), description="Surfaces where people talk to the fleet, by name.")
    people: dict[Handle, PersonKeys] = Field(
        default={}, description="Who may talk to the fleet, by the name that is shown."
    )
    roles: dict[RoleName, Group] = Field(
        default={},
        description="Further roles, by role: names for all projects, or names for each (`*` is all).",
    )
    attention: Loose = Field(default={}, description="What needs whom, and how loudly.")
    escalation: Loose = Field(default={}, description="Who is told next when nobody answers.")
    quiet_hours: Loose = Field(default={}, description="When nobody is woken.")
    budget: Loose = Field(default={}, description="What the fleet may spend.")
    guard: GuardKeys = Field(
        default=GuardKeys(), description="What no push brings unreleased: guarded paths, size, secrets."
    )
    policy: PolicyKeys = Field(default=PolicyKeys(), description="What agents may run: allow, ask, deny.")
