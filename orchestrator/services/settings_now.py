"""The configuration as it counts now: the newest good one, reloaded while everything runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, cast

from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.project import Project
from orchestrator.domain.rights import People, merged
from orchestrator.domain.rules import Rules
from orchestrator.domain.session import Parts
from orchestrator.errors import AoError, NotFound
from orchestrator.registry import Registry
from orchestrator.settings.effective import Settings
from orchestrator.settings.loader import Loaded, load, stand_in
from orchestrator.settings.plugin_check import options_for
from orchestrator.settings.plugin_choice import PluginUse
from orchestrator.storage.kept_people import KeptPeople
from orchestrator.storage.kept_policy import KeptPolicy

T = TypeVar("T")


class SettingsNow:
    """Answers the lifecycle's questions from the newest good configuration.

    A project that was taken out of the file while sessions of it live keeps its last settings until
    they have ended, so that they can still be looked after and killed.
    """

    def __init__(self, path: Path, env: Mapping[str, str], registry: Registry) -> None:
        self._path = path
        self._env = dict(env)
        self._registry = registry
        self._listeners: list[Callable[[Settings], None]] = []
        self._now: Settings | None = None
        self.unusable: AoError | None = None
        """Why the file cannot be used, where what is kept is read without it."""
        self._kept: KeptPolicy | None = None
        self._added: KeptPeople | None = None
        self._others: dict[str, Settings] = {}
        """Settings of projects that are not in the file: taken out of it, or in another file."""
        self._worked_out: dict[tuple[str, ...], Any] = {}
        """Answers until others count: they are asked for several times a tick for each session."""

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    @property
    def env(self) -> Mapping[str, str]:
        """The variables that `${NAME}` in the file stands for."""
        return self._env

    @property
    def now(self) -> Settings:
        """The newest good settings. Raises `NotFound` before the first load."""
        if self._now is None:
            msg = "no configuration is loaded."
            raise NotFound(msg, next_step="`ao init` writes one.")
        return self._now

    @property
    def own(self) -> Settings:
        """`now`, for what shows the file itself. Raises why the file cannot be used."""
        if self.unusable is not None:
            raise self.unusable
        return self.now

    def uses(self) -> Sequence[PluginUse]:
        """The plugins that the file uses; none while it cannot be used."""
        return [] if self.unusable is not None else list(self.now.uses())

    def go_without(self, reason: AoError) -> None:
        """The file cannot be used: what is kept can be read all the same, with other settings."""
        self.take(stand_in(self._path, self._env, ()))
        self.unusable = reason

    def complete_for_reading(self, projects: Iterable[str]) -> None:
        """What is kept of these projects can be read, also where no file has them."""
        self.complete(stand_in(self._path, self._env, projects))

    def complete(self, others: Settings) -> None:
        """Take these settings for projects of theirs that are not known here."""
        for project in others.project_ids:
            if not self.knows(project):
                self._others[project] = others

    def look(self) -> Loaded:
        """Load the file without taking it over."""
        return load(self._path, self._env)

    def take(self, settings: Settings) -> None:
        """From now on these settings count."""
        before = self._now
        self._now, self.unusable = settings, None
        self._worked_out.clear()
        if before is not None:
            for gone in set(before.project_ids) - set(settings.project_ids):
                self._others[gone] = before
        for back in settings.project_ids:
            self._others.pop(back, None)
        for listener in self._listeners:
            listener(settings)

    def use_kept(self, kept: KeptPolicy) -> None:
        """From now on rules hold also what people decided for longer than one time."""
        self._kept = kept
        kept.on_change(self._worked_out.clear)
        self._worked_out.clear()

    def use_people(self, kept: KeptPeople) -> None:
        """From now on people are also those who were added or paired themselves."""
        self._added = kept
        kept.on_change(self._worked_out.clear)
        self._worked_out.clear()

    @property
    def people(self) -> People:
        """Everybody who is known: the configuration's and those who are kept."""
        return self._once(("people",), self._people)

    def _people(self) -> People:
        configured = self._now.people if self._now is not None else People()
        return configured if self._added is None else merged(configured, self._added.people)

    def on_change(self, listener: Callable[[Settings], None]) -> None:
        """Call `listener` with the settings, now and whenever others count."""
        self._listeners.append(listener)
        if self._now is not None:
            listener(self._now)

    def _for(self, project: str) -> Settings:
        if project in self.now.project_ids:
            return self.now
        return self._others.get(project, self.now)

    @property
    def project_ids(self) -> tuple[ProjectId, ...]:
        """Every project that is known here, the file's own first."""
        return tuple(dict.fromkeys((*self.now.project_ids, *map(ProjectId, self._others))))

    def parts(self, project: ProjectId) -> Parts:
        """The plugins of a project. Raises `NotFound`."""
        return self._for(project).parts(project)

    def knows(self, project: str) -> bool:
        """Whether there are settings for this project, old ones and another file's included."""
        return project in self.now.project_ids or project in self._others

    def own_project(self, project: str) -> None:
        """See that the file itself has this project. Raises `NotFound`, naming the file that has it."""
        others = self._others.get(project)
        if others is not None and others.main != self._path.absolute():
            msg = f"{project} is no project of {self._path}."
            raise NotFound(msg, next_step=f"{others.main} has it: `ao --config {others.main} ...`.")
        self.now.keys(project)

    def _once(self, key: tuple[str, ...], work_out: Callable[[], T]) -> T:
        if key not in self._worked_out:
            self._worked_out[key] = work_out()
        return cast("T", self._worked_out[key])

    def project(self, project: ProjectId) -> Project:
        """The project. Raises `NotFound`."""
        return self._once(("project", project), lambda: self._for(project).project(project))

    def rules(self, project: ProjectId) -> Rules:
        """Reactions and thresholds, and what people allowed always. Raises `NotFound`."""
        return self._once(("rules", project), lambda: self._rules(project))

    def _rules(self, project: ProjectId) -> Rules:
        rules = replace(self._for(project).rules(project), approvers=self.people.approvers(project))
        if self._kept is None:
            return rules
        return replace(rules, kept=self._kept.rules, remembered=self._kept.answers)

    async def end_session(self, session: SessionId) -> None:
        """Let go what was allowed in this session alone. Raises `TemporaryError`."""
        if self._kept is not None:
            await self._kept.end_session(session)

    def options(self, project: ProjectId, slot: str, name: str) -> Mapping[str, object]:
        """The block for this plugin; a plugin that the project no longer uses gets its defaults."""
        return self._once(("options", project, slot, name), lambda: self._options(project, slot, name))

    def _options(self, project: ProjectId, slot: str, name: str) -> Mapping[str, object]:
        settings = self._for(project)
        use = settings.agent(project, name=name) if slot == "agent" else settings.plugin(project, slot)
        if use.name != name:
            return {}
        return options_for(use, self._registry)

    def agent_rules(self, project: ProjectId) -> str:
        """The project's rules for every task's prompt."""
        return self._for(project).agent_rules(project)
