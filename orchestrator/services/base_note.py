"""What a person should know of the commit that new work starts from."""

from __future__ import annotations

from orchestrator.domain.session import Session
from orchestrator.errors import AoError
from orchestrator.ports.scm import SCM, BaseNotes
from orchestrator.services.core import Core


async def of_session(core: Core, session: Session) -> str:
    """Commits of the user's that the base lacks, in words; empty when there are none or nobody can tell."""
    name, plugin = session.project, session.parts.scm
    scm = core.registry.create(SCM, plugin, core.settings.options(name, "scm", plugin))
    if not isinstance(scm, BaseNotes):
        return ""
    try:
        return await scm.base_note(core.settings.project(name))
    except AoError:
        return ""  # setting up meets it too, and its status says it
