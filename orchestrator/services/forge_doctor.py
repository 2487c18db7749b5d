"""Whether everything is there that projects need of their forges: asked of each scm that can say."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain.project import Project
from orchestrator.errors import AoError
from orchestrator.ports.scm import Examined, Examines, SignsIn, Wanted
from orchestrator.services import links
from orchestrator.services.core import Core

LIMIT = 60.0
"""Seconds that a look at one project may take."""
_WORST = ("failure", "warning", "ok")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found of one project."""

    project: str
    repo: str
    scm: str
    found: Sequence[Examined]

    @property
    def level(self) -> str:
        """The worst of it."""
        levels = {one.level for one in self.found}
        return next((level for level in _WORST if level in levels), "ok")

    @property
    def bad(self) -> Sequence[Examined]:
        """What needs a look."""
        return [one for one in self.found if one.level != "ok"]


async def examine(core: Core, projects: Sequence[Project], *, limit: float = LIMIT) -> list[Report]:
    """Look at those whose scm can say; beside each other. Changes nothing, never raises `AoError`."""
    reports = await asyncio.gather(*(_examined(core, project, limit) for project in projects))
    return [report for report in reports if report is not None]


async def _examined(core: Core, project: Project, limit: float) -> Report | None:
    parts = core.settings.now.parts(project.id)
    try:
        scm = links.scm_of(core, project)
        if not isinstance(scm, Examines):
            return None
        linked = core.store.links.logins(scm.host(project)) if isinstance(scm, SignsIn) else frozenset()
        rules = core.settings.rules(project.id)
        wanted = Wanted(
            approvals=rules.approvals,
            merge_method=rules.merge_method,
            issues=parts.tracker == parts.scm,
            linked=linked,
        )
        async with asyncio.timeout(limit):
            found = await scm.examine(project, wanted)
    except TimeoutError:
        found = [Examined(level="failure", subject="forge", text=f"no answer within {limit:g} s")]
    except AoError as error:
        found = [Examined(level="failure", subject="forge", text=error.what, next_step=error.next_step)]
    return Report(project=project.id, repo=project.repo, scm=parts.scm, found=found)
