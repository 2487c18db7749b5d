"""The open issues of a project, so that one can be chosen to spawn."""

from __future__ import annotations

from orchestrator.domain.ids import project_id
from orchestrator.domain.issue import Issue
from orchestrator.ports.tracker import TRACKER
from orchestrator.services.core import Core


async def listed(core: Core, project: str, text: str = "", limit: int = 50) -> list[Issue]:
    """Open issues; with `text` those that hold it."""
    name = project_id(project)
    plugin = core.settings.own.parts(name).tracker
    tracker = core.registry.create(TRACKER, plugin, core.settings.options(name, "tracker", plugin))
    return list(await tracker.search(core.settings.project(name), text, limit))
