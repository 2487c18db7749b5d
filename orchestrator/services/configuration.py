"""The configuration while everything runs: checked, shown, trusted, reloaded."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.errors import BadInput, NotFound, NotReady
from orchestrator.registry import Registry
from orchestrator.services import links, people, rules
from orchestrator.services import trust as trusting
from orchestrator.services.core import Core
from orchestrator.settings import show as showing
from orchestrator.settings.effective import Settings
from orchestrator.settings.loader import Loaded
from orchestrator.settings.plugin_check import check_names, check_plugins
from orchestrator.settings.problems import Grade, Problem, errors
from orchestrator.settings.trust import Reason


def problems(loaded: Loaded, registry: Registry, trusted: trusting.Trusted) -> tuple[Problem, ...]:
    """Everything wrong or not ready, plugins from outside and the plugins' own blocks included."""
    settings = loaded.settings
    if settings is None:
        named = check_names(loaded.data, loaded.spots, registry) if loaded.spots else ()
        return (*loaded.problems, *named)
    failed = [
        settings.spots.problem(external.at, str(error), grade)
        for external, error in trusting.load_externals(settings, registry, trusted)
        for grade in [Grade.NOT_READY if isinstance(error, NotFound) else Grade.ERROR]
    ]
    known = {(problem.file, problem.line) for problem in loaded.problems}
    new = [problem for problem in failed if (problem.file, problem.line) not in known]
    return (*loaded.problems, *new, *check_plugins(settings, registry))


def usable(loaded: Loaded, registry: Registry, trusted: trusting.Trusted) -> Settings:
    """The settings, if all that they name loads, has no error and is trusted.

    Raises `BadInput`, `NotReady`, or why a plugin from outside does not load.
    """
    settings = loaded.require()
    for _, error in trusting.load_externals(settings, registry, trusted):
        raise error
    wrong = errors(check_plugins(settings, registry))
    if wrong:
        msg = "The configuration has errors:\n" + "\n".join(f"  {problem}" for problem in wrong)
        raise BadInput(msg, next_step="Mend them; `ao config check` shows what is left.")
    untrusted = trusting.missing(settings, registry, trusted)
    if untrusted:
        msg = "This configuration runs code or gives rights, and nobody has trusted it as it is:\n"
        msg += "\n".join(f"  {row}" for row in trusting.words(untrusted))
        raise NotReady(msg, next_step="Read it, then `ao trust`.")
    return settings


def _usable_now(core: Core) -> Settings:
    return usable(core.settings.look(), core.registry, trusting.Trusted(core.home))


async def reload(core: Core) -> Settings:
    """Read the file again. Raises what is wrong with it; the last good configuration then stays."""
    settings = await core.files.run("configuration", _usable_now, core)
    core.settings.take(settings)
    for project in settings.project_ids:
        await rules.answer_waiting(core, project)
    await links.forget_strangers(core)
    await people.judge_again(core)
    return settings


def _problems_now(core: Core) -> Sequence[Problem]:
    return problems(core.settings.look(), core.registry, trusting.Trusted(core.home))


async def check(core: Core) -> Sequence[Problem]:
    """What is wrong with the file as it is now."""
    return await core.files.run("configuration", _problems_now, core)


async def show(core: Core) -> str:
    """The effective configuration as YAML, secrets masked."""
    return showing.show(core.settings.now)


def _trust_now(core: Core) -> Sequence[Reason]:
    settings = core.settings.look().require()
    return trusting.trust(settings, core.registry, trusting.Trusted(core.home))


async def trust(core: Core) -> Sequence[str]:
    """Trust the file as it is now, and take it over; returns what that allows, in words."""
    allowed = await core.files.run("configuration", _trust_now, core)
    await reload(core)
    return trusting.words(allowed)
