"""What is known to fail before a session is made: then nothing is made, and the next step is named."""

from __future__ import annotations

import contextlib

from orchestrator.domain.project import Project
from orchestrator.domain.session import Parts
from orchestrator.errors import BadInput, NotFound, NotReady, TemporaryError
from orchestrator.ports.agent import AGENT, Launches
from orchestrator.ports.scm import SCM
from orchestrator.ports.workspace import WORKSPACE, Foresees
from orchestrator.services.core import Core


async def refuse_agent(core: Core, project: Project, parts: Parts) -> None:
    """Its options are wrong (`BadInput`), or its program is not here (`NotReady`)."""
    name = parts.agent
    try:
        options = core.settings.options(project.id, "agent", name)
        agent = core.registry.create(AGENT, name, options)
    except BadInput as error:
        step = f"Mend `agentConfig` in {core.settings.path}, then `ao reload`."
        raise BadInput(error.what, next_step=error.next_step or step) from error
    absent = await core.files.run("programs", core.registry.missing_programs, AGENT, name, options)
    word = agent.launched_as() if isinstance(agent, Launches) else ""
    if word and not await core.files.run("programs", core.fleet.world.has_program, word):
        absent = [word]
    if absent:
        msg = f"the agent {name} needs {', '.join(absent)}, which is not here."
        raise NotReady(msg, next_step="Install it, or spawn with another (`--agent`); `ao doctor` shows all.")


async def refuse_base(core: Core, project: Project, parts: Parts, base: str) -> None:
    """The branch to start from is gone. A forge that cannot be asked now is no reason."""
    scm = core.registry.create(SCM, parts.scm, core.settings.options(project.id, "scm", parts.scm))
    with contextlib.suppress(TemporaryError):
        try:
            await scm.base(project, base)
        except NotFound as error:
            step = f"Mend `defaultBranch` of {project.id} in {core.settings.path}, then `ao reload`."
            raise NotFound(error.what, next_step=error.next_step or step) from error


async def refuse_branch(core: Core, project: Project, parts: Parts, branch: str) -> None:
    """The branch is somebody else's already. Raises `Conflict`."""
    name = parts.workspace
    workspace = core.registry.create(WORKSPACE, name, core.settings.options(project.id, "workspace", name))
    if isinstance(workspace, Foresees):
        with contextlib.suppress(TemporaryError):
            await workspace.refuse_branch(project, branch)
