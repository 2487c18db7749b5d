"""Keys of one project in a configuration."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue, model_validator

from orchestrator.domain.rules import MergeMethod, OnMerge, RestorePolicy
from orchestrator.settings.base import Block, Keys, Loose
from orchestrator.settings.guard_model import GuardKeys
from orchestrator.settings.policy_model import PolicyKeys
from orchestrator.settings.reaction_model import Reaction
from orchestrator.settings.values import AtLeastOne, Branch, Command, Count, InsidePath, Name, Prefix, Repo
from orchestrator.settings.webhooks_model import HeaderName, UrlPath, VariableName

Permissions = Annotated[
    Literal["permissionless", "default", "auto-edit", "suggest", "skip"],
    AfterValidator(lambda mode: "permissionless" if mode == "skip" else mode),
]
SessionStrategy = Literal["reuse", "delete", "ignore", "delete-new", "ignore-new", "kill-previous"]


class PluginBlock(Block):
    """Which plugin fills a slot, with that plugin's own options beside it."""

    plugin: Name | None = Field(
        default=None, description="The plugin's name; left out, it is inferred from `repo`."
    )
    package: Name | None = Field(
        default=None, description="Instead of a name: the package that brings the plugin."
    )
    path: str | None = Field(
        default=None,
        min_length=1,
        description="Instead of a name: the file that holds the plugin. Runs only once this file is trusted.",
    )

    @model_validator(mode="after")
    def _one_source(self) -> PluginBlock:
        if self.package and self.path:
            msg = "a plugin comes from a package or from a path, not from both"
            raise ValueError(msg)
        return self


class Webhook(Keys):
    """How a forge's webhook is recognised, where the global `webhooks` block does not say it."""

    enabled: bool = Field(
        default=True,
        description="Whether webhooks are received for this project, once `webhooks` is written.",
    )
    path: UrlPath | None = Field(
        default=None, description="A further path that takes this project's deliveries: /api/webhooks/github."
    )
    secret_env_var: VariableName | None = Field(
        default=None,
        description="Name of the variable that holds the shared secret, instead of `webhooks.secretEnv`.",
    )
    signature_header: HeaderName | None = Field(
        default=None, description="Header that carries the signature, where a relay renames it."
    )
    event_header: HeaderName | None = Field(default=None, description="Header that names the event.")
    delivery_header: HeaderName | None = Field(default=None, description="Header that numbers the delivery.")
    max_body_bytes: AtLeastOne | None = Field(
        default=None, description="Larger bodies are refused, in bytes; `webhooks.maxBodyBytes` if left out."
    )


class ScmBlock(PluginBlock):
    """The forge of a project."""

    webhook: Webhook | None = Field(default=None, description="How the forge's webhooks are recognised.")


class AgentConfig(Block):
    """How the agent is started. Keys besides these are the agent plugin's own options."""

    permissions: Permissions | None = Field(
        default=None,
        description="What the agent may do unasked; auto-edit unless written otherwise. `skip` means permissionless.",
    )
    model: str | None = Field(
        default=None, min_length=1, description="Model, as the agent's own program names it."
    )
    orchestrator_model: str | None = Field(
        default=None, min_length=1, description="Model of the project's orchestrator agent."
    )

    def own_options(self) -> dict[str, JsonValue]:
        """What was written besides `permissions`, `model` and `orchestratorModel`."""
        known = {"permissions", "model", "orchestratorModel"}
        return {key: value for key, value in self.options().items() if key not in known}


class RoleKeys(Keys):
    """What differs for one role of agents in a project."""

    agent: Name | None = Field(default=None, description="Agent plugin for this role.")
    agent_config: AgentConfig = Field(
        default=AgentConfig(), description="Laid over the project's `agentConfig`."
    )


class BehaviourKeys(Keys):
    """How agents work on a project. A file in the project's own folder may hold just these."""

    runtime: Name | None = Field(default=None, description="Plugin that holds the agents' terminals.")
    runtime_config: Loose = Field(default={}, description="Options of the runtime plugin.")
    agent: Name | None = Field(default=None, description="Agent plugin.")
    agent_config: AgentConfig = Field(default=AgentConfig(), description="How the agent is started.")
    workspace: Name | None = Field(default=None, description="Plugin that makes the agents' workspaces.")
    workspace_config: Loose = Field(default={}, description="Options of the workspace plugin.")
    tracker: PluginBlock | None = Field(default=None, description="Where issues come from.")
    scm: ScmBlock | None = Field(
        default=None, description="Where pull requests are; its own options beside `plugin`."
    )
    symlinks: tuple[InsidePath, ...] = Field(
        default=(), description="Paths in the repository that a workspace links to instead of having its own."
    )
    post_create: tuple[Command, ...] = Field(
        default=(),
        description="Commands that prepare a new workspace. They run only once this file is trusted.",
    )
    orchestrator: RoleKeys = Field(default=RoleKeys(), description="What differs for the orchestrator agent.")
    worker: RoleKeys = Field(default=RoleKeys(), description="What differs for agents that work on a task.")
    reactions: dict[str, Reaction] = Field(
        default={}, description="Laid field by field over the global reactions and the built-in table."
    )
    agent_rules: str | None = Field(
        default=None, max_length=50_000, description="Rules that every task's prompt holds."
    )
    agent_rules_file: InsidePath | None = Field(
        default=None, description="File in the repository with such rules; added after `agentRules`."
    )
    orchestrator_rules: str | None = Field(
        default=None, max_length=50_000, description="Rules for the orchestrator agent's prompt."
    )
    orchestrator_session_strategy: SessionStrategy | None = Field(
        default=None, description="What a start does with the orchestrator agent's last session."
    )
    opencode_issue_session_strategy: Literal["reuse", "delete", "ignore"] | None = Field(
        default=None, description="What one agent does with its last conversation on an issue."
    )
    approvals: Count | None = Field(
        default=None,
        description="Approvals that a pull request needs: 1 unless `defaults` says otherwise; 0 is none.",
    )
    merge_method: MergeMethod | None = Field(
        default=None,
        description="How a pull request gets into its base: squash unless `defaults` says otherwise.",
    )
    on_merge: OnMerge | None = Field(
        default=None,
        description="What a merge does to the issue: close (unless `defaults` says otherwise), comment, leave.",
    )
    restore: RestorePolicy | None = Field(
        default=None, description="Sessions after a reboot: ask (the default), or auto, a few a minute."
    )
    plan: Literal["ask", "none"] | None = Field(
        default=None,
        description="ask: each agent has its plan approved before it changes anything; none is the default.",
    )
    decomposer: Loose = Field(default={}, description="A part that the reference system took out.")
    guard: GuardKeys = Field(
        default=GuardKeys(), description="What no push brings unreleased, over the global keys."
    )
    policy: PolicyKeys = Field(
        default=PolicyKeys(), description="What agents may run, besides what the global policy says."
    )
    budget: Loose = Field(default={}, description="What this project may spend.")


class ProjectKeys(BehaviourKeys):
    """One project: which repository, and how agents work on it."""

    path: str = Field(
        min_length=1,
        description="Your own checkout; `~/` is your home, other relative paths start at this file.",
    )
    name: str | None = Field(
        default=None, max_length=100, description="Name for people; the project's key if left out."
    )
    repo: Repo | None = Field(
        default=None,
        description="`owner/name` on the forge; left out, it is what the checkout's remote says if that is on GitHub, else no forge is needed.",
    )
    default_branch: Branch = Field(
        default="main", description="Branch that work starts from and is merged into."
    )
    session_prefix: Prefix | None = Field(
        default=None,
        description="Sessions are `<prefix>-<n>`: a-z, 0-9, - and _, at most 16; made from the path if left out.",
    )
