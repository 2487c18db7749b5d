"""What a configuration means: projects, rules, plugins with their options. Made by `loader.load`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from orchestrator.domain.event import Level
from orchestrator.domain.ids import ProjectId
from orchestrator.domain.listener import Listener
from orchestrator.domain.project import Project
from orchestrator.domain.rights import People
from orchestrator.domain.rules import Rules
from orchestrator.domain.session import Parts
from orchestrator.errors import NotFound
from orchestrator.settings import builtin, naming, plugin_choice
from orchestrator.settings.models import Config, Limits
from orchestrator.settings.people_model import people_of
from orchestrator.settings.plugin_choice import External, PluginUse
from orchestrator.settings.problems import KeyPath, Spots, nearest
from orchestrator.settings.project_model import ProjectKeys
from orchestrator.settings.rules_of import rules_of
from orchestrator.settings.shapes import ConfigFile, project_folder

Role: TypeAlias = Literal["worker", "orchestrator"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A configuration without errors. Never changed: a reload makes another one."""

    config: Config = field(repr=False)
    """The keys as written, with defaults; secrets stand in it, so it is never printed by itself."""
    main: Path
    """The file that was loaded."""
    home: Path
    """`$AO_HOME`."""
    user_home: Path
    files: tuple[ConfigFile, ...] = ()
    spots: Spots = field(repr=False)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Variables whose values stand in this configuration, to be masked wherever text goes out."""

    repos: Mapping[str, str] = field(default_factory=dict)
    """Project -> `owner/name` as its checkout's remote has it, where nothing is written."""

    @property
    def project_ids(self) -> tuple[ProjectId, ...]:
        """All projects, in the file's order."""
        return tuple(ProjectId(name) for name in self.config.projects)

    @property
    def limits(self) -> Limits:
        """How much runs at once."""
        return self.config.limits

    @property
    def people(self) -> People:
        """Everybody whom the configuration names."""
        return people_of(self.config.people, self.config.roles)

    @property
    def listener(self) -> Listener | None:
        """Where the browser's side and colleagues' shells reach us; None: nowhere."""
        written = "port" in self.config.model_fields_set
        return self.config.console.listener(self.config.port if written else None)

    def keys(self, project: str) -> ProjectKeys:
        """A project's keys as written. Raises `NotFound`."""
        if project not in self.config.projects:
            close = nearest(project, self.config.projects)
            hint = (
                f"Did you mean {close}?"
                if close
                else f"There are: {', '.join(self.config.projects) or 'none yet'}."
            )
            msg = f"There is no project {project!r} in {self.main}."
            raise NotFound(msg, next_step=hint)
        return self.config.projects[project]

    def project(self, project: str) -> Project:
        """A project, as plugins are told of it. Raises `NotFound`."""
        keys = self.keys(project)
        return Project(
            id=ProjectId(project),
            name=keys.name or project,
            path=self.folder(project),
            default_branch=keys.default_branch,
            prefix=keys.session_prefix or naming.derive_prefix(self.folder(project).name),
            folder=self.home / "projects" / project,
            repo=keys.repo or self.repos.get(project, ""),
            symlinks=keys.symlinks,
            post_create=keys.post_create,
        )

    def projects(self) -> tuple[Project, ...]:
        """All projects, in the file's order."""
        return tuple(self.project(name) for name in self.config.projects)

    def folder(self, project: str) -> Path:
        """The user's own checkout of a project."""
        return project_folder(self.keys(project).path, self.main.parent, self.user_home)

    def beside(self, written: str, at: KeyPath) -> Path:
        """The path `written` at `at` as an absolute one: it starts at the file it stands in."""
        return project_folder(written, self.spots.find(at).file.parent, self.user_home)

    def rules(self, project: str) -> Rules:
        """All that is done by itself in a project. Raises `NotFound`."""
        return rules_of(self.config, self.keys(project))

    def parts(self, project: str, role: Role = "worker", agent: str = "") -> Parts:
        """Names of the plugins for a new session; `agent` is what a person asked for at spawn."""
        return Parts(
            runtime=self.plugin(project, "runtime").name,
            agent=self.agent(project, role, agent).name,
            workspace=self.plugin(project, "workspace").name,
            tracker=self.plugin(project, "tracker").name,
            scm=self.plugin(project, "scm").name,
        )

    def plugin(self, project: str, slot: str) -> PluginUse:
        """The plugin that fills `slot` in a project, with its options. For agents see `agent`."""
        keys, at = self.keys(project), ("projects", project)
        if slot in {"tracker", "scm"}:
            return plugin_choice.of_forge(keys, slot, at, self.repos.get(project, ""))
        if slot == "agent":
            return self.agent(project)
        return plugin_choice.of_machine(self.config.defaults, keys, slot, at)

    def agent(self, project: str, role: Role = "worker", name: str = "") -> PluginUse:
        """The agent plugin for a role, with its options.

        `permissions` and `model` may stand in the options of any agent. Options written for the
        project's agent are not handed to another one.
        """
        return plugin_choice.of_agent(
            self.config.defaults, self.keys(project), role, name, ("projects", project)
        )

    @property
    def terminal(self) -> PluginUse:
        """The plugin that opens sessions' terminals for a person."""
        defaults = self.config.defaults
        name = defaults.terminal or builtin.plugin_defaults().terminal
        return PluginUse(
            slot="terminal", name=name, options=defaults.terminal_config, at=("defaults", "terminalConfig")
        )

    @property
    def notifiers(self) -> dict[str, PluginUse]:
        """Every notifier that is configured or named somewhere, by the name that routing uses."""
        named = [name for names in self.config.notification_routing.values() for name in names]
        named += self.config.defaults.notifiers or ()
        blocks = self.config.notifiers
        return {
            name: plugin_choice.of_notifier(name, blocks.get(name))
            for name in dict.fromkeys([*blocks, *named])
            if name in blocks or name not in self._surfaces
        }

    def heard_by(self, level: Level) -> tuple[str, ...]:
        """Names of the notifiers and surfaces that are told of something at `level`."""
        routed = self.config.notification_routing.get(level.value)
        if routed is not None:
            return tuple(dict.fromkeys(routed))
        if self.config.defaults.notifiers is not None:
            return tuple(dict.fromkeys(self.config.defaults.notifiers))
        return tuple(dict.fromkeys([*self.config.notifiers, *self._surfaces]))

    def agent_rules(self, project: str) -> str:
        """The project's rules for every task's prompt: `agentRules`, then the file's text.

        The file is read now, so that an edit counts at the next spawn; one that is absent, links out of
        the repository or is no text adds nothing (`ao config check` names it).
        """
        keys = self.keys(project)
        path = plugin_choice.file_inside(self.folder(project), keys.agent_rules_file)
        text = path.read_text(encoding="utf-8", errors="replace")[:50_000] if path else ""
        return "\n\n".join(part.strip() for part in (keys.agent_rules or "", text) if part.strip())

    @property
    def externals(self) -> tuple[External, ...]:
        """Every plugin from outside that this configuration names, each once: `plugins`, then blocks."""
        found = [
            External(
                name=entry.name, path=self._plugin_file(entry.path, ("plugins", index)), at=("plugins", index)
            )
            for index, entry in enumerate(self.config.plugins)
            if entry.enabled
        ]
        found += [
            External(name=use.name, path=self._plugin_file(use.path, use.at), at=use.at)
            for use in self.uses()
            if use.external
        ]
        return tuple(dict.fromkeys(found))

    def _plugin_file(self, written: str | None, at: KeyPath) -> Path | None:
        return self.beside(written, (*at, "path")) if written else None

    def uses(self) -> Iterator[PluginUse]:
        """Every use of a plugin that this configuration makes."""
        for project in self.config.projects:
            for slot in ("runtime", "workspace", "tracker", "scm"):
                yield self.plugin(project, slot)
            worker, orchestrator = self.agent(project), self.agent(project, "orchestrator")
            yield worker
            if (orchestrator.name, orchestrator.options) != (worker.name, worker.options):
                yield orchestrator
        yield from self.notifiers.values()
        yield self.terminal

    @property
    def _surfaces(self) -> tuple[str, ...]:
        chat = self.config.chat.surfaces()
        return tuple(dict.fromkeys([*chat, *builtin.plugin_defaults().always]))
