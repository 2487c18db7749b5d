"""Loads a configuration: file and environment in, `Settings` or every problem at once out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import ValidationError

from orchestrator.errors import BadInput
from orchestrator.settings import builtin, discovery, naming, validation
from orchestrator.settings.document import Data
from orchestrator.settings.effective import Settings
from orchestrator.settings.environment import Expansion
from orchestrator.settings.models import Config
from orchestrator.settings.people_check import check_people
from orchestrator.settings.plugin_choice import file_inside, follows_remote, repo_hosts
from orchestrator.settings.policy_check import hopeless
from orchestrator.settings.problems import Grade, KeyPath, Problem, Spots, errors, nearest
from orchestrator.settings.remote import repo_at
from orchestrator.settings.shapes import Assembled, ConfigFile, assemble, project_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What came of loading. `settings` is there exactly when no problem is an error."""

    settings: Settings | None
    problems: tuple[Problem, ...]
    files: tuple[ConfigFile, ...]
    data: dict[str, Data] = field(default_factory=dict, repr=False)
    """What was read, however wrong: for what can be said of it beside its errors."""
    spots: Spots | None = None

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that forbid a start."""
        return errors(self.problems)

    def require(self) -> Settings:
        """The settings, or `BadInput` with every error."""
        if self.settings is None:
            msg = "The configuration has errors:\n" + "\n".join(f"  {problem}" for problem in self.errors)
            raise BadInput(msg, next_step="Mend them; `ao config check` shows what is left.")
        return self.settings


def load(path: Path, env: Mapping[str, str], text: str | None = None) -> Loaded:
    """Load the configuration at `path`. `env` gives `$AO_HOME`, `$HOME` and every `${NAME}`.

    `text` stands for the file's content, to check an edit before it is written. Never raises for
    what stands in a file.
    """
    home, user_home = discovery.ao_home(env), discovery.user_home(env)
    whole = assemble(path.absolute(), home, user_home, text)
    expansion = Expansion(env, whole.spots)
    data = expansion.expand(whole.data)
    problems = [*whole.problems, *expansion.problems]
    config: Config | None = None
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        problems += validation.problems_of(error, whole.spots)
    if isinstance(data, dict):
        problems += _cross_checks(data, whole, user_home)
    if config is None or errors(problems):
        return Loaded(
            settings=None,
            problems=_in_order(problems),
            files=tuple(whole.files),
            data=data if isinstance(data, dict) else {},
            spots=whole.spots,
        )
    settings = Settings(
        config=config,
        main=whole.main,
        home=home,
        user_home=user_home,
        files=tuple(whole.files),
        spots=whole.spots,
        secrets=expansion.used,
    )
    settings = replace(settings, repos=dict(_repos(settings)))
    problems += _not_ready(settings)
    return Loaded(settings=settings, problems=_in_order(problems), files=tuple(whole.files))


def stand_in(path: Path, env: Mapping[str, str], projects: Iterable[str]) -> Settings:
    """Settings for reading what is kept of `projects` while the file at `path` cannot be used.

    Each project has every default and its own folder below `$AO_HOME` as its path.
    """
    home = discovery.ao_home(env)
    blocks = {name: {"path": str(home / "projects" / name)} for name in projects}
    return Settings(
        config=Config.model_validate({"projects": blocks}),
        main=path.absolute(),
        home=home,
        user_home=discovery.user_home(env),
        spots=Spots(path),
    )


def _in_order(problems: list[Problem]) -> tuple[Problem, ...]:
    """By file and line, each once."""
    unique = dict.fromkeys(problems)
    return tuple(sorted(unique, key=lambda problem: (str(problem.file), problem.line, problem.path)))


def _cross_checks(data: dict[str, Data], whole: Assembled, user_home: Path) -> Iterator[Problem]:
    """What concerns several keys; looks at plain data, so that it is found beside all else."""
    yield from _unknown_reactions(data, whole.spots)
    yield from check_people(data, whole.spots)
    prefixes = _prefixes(data, whole.main.parent, user_home)
    for prefix, owners in naming.shared_prefixes(prefixes).items():
        free = [naming.free_prefix(prefix, set(prefixes.values()))]
        message = (
            f"The projects {', '.join(owners[:-1])} and {owners[-1]} share the session prefix {prefix!r}: "
            f"give {'one of them' if len(owners) == 2 else 'all but one of them'} its own, as in `sessionPrefix: {free[0]}`."
        )
        yield whole.spots.problem(("projects", owners[-1], "sessionPrefix"), message)


def _unknown_reactions(data: dict[str, Data], spots: Spots) -> Iterator[Problem]:
    known = builtin.reaction_keys()
    projects = data.get("projects")
    tables: list[tuple[KeyPath, Data]] = [(("reactions",), data.get("reactions"))]
    if isinstance(projects, dict):
        for name, project in projects.items():
            if isinstance(project, dict):
                tables.append((("projects", name, "reactions"), project.get("reactions")))
    for at, table in tables:
        for key in table if isinstance(table, dict) else ():
            if key not in known:
                yield spots.problem(
                    (*at, key), "Nothing triggers a reaction of this name.", nearest=nearest(key, known)
                )


def _prefixes(data: dict[str, Data], base: Path, user_home: Path) -> dict[str, str]:
    prefixes: dict[str, str] = {}
    projects = data.get("projects")
    for name, project in projects.items() if isinstance(projects, dict) else ():
        if isinstance(project, dict):
            written = project.get("sessionPrefix", project.get("session_prefix"))
            path = project.get("path")
            if isinstance(written, str):
                prefixes[name] = written.lower()
            elif isinstance(path, str):
                prefixes[name] = naming.derive_prefix(project_folder(path, base, user_home).name)
    return prefixes


def _repos(settings: Settings) -> Iterator[tuple[str, str]]:
    """What the remotes of the projects say. One that has pull requests of ours on this machine keeps them."""
    for name, keys in settings.config.projects.items():
        forge = settings.home / "projects" / name / "forge.git"
        if follows_remote(keys, is_local=forge.exists()):
            repo = repo_at(settings.folder(name), repo_hosts(keys))
            if repo:
                yield name, repo


def _not_ready(settings: Settings) -> Iterator[Problem]:
    yield from hopeless(settings.config.policy, ("policy",), settings.spots)
    for name, keys in settings.config.projects.items():
        yield from hopeless(keys.policy, ("projects", name, "policy"), settings.spots)
    for plugin in settings.externals:
        if plugin.path and not plugin.path.is_file():
            message = f"There is no plugin file {plugin.path}."
            yield settings.spots.problem((*plugin.at, "path"), message, Grade.NOT_READY)
    for name, keys in settings.config.projects.items():
        folder = settings.folder(name)
        if not folder.is_dir():
            yield settings.spots.problem(
                ("projects", name, "path"), f"There is no folder {folder}.", Grade.NOT_READY
            )
        elif keys.agent_rules_file and file_inside(folder, keys.agent_rules_file) is None:
            message = f"There is no file {keys.agent_rules_file} inside {folder}."
            yield settings.spots.problem(("projects", name, "agentRulesFile"), message, Grade.NOT_READY)
