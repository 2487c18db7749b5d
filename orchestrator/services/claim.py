"""Give a session an existing pull request: a new session on its branch, or one that is there.

A new session has it once its workspace stands on the pull request's head (`lifecycle.setup`).
"""

from __future__ import annotations

from orchestrator.domain.ids import ProjectId, SessionId, project_id
from orchestrator.domain.person import Actor
from orchestrator.domain.pull_request import PullRequest
from orchestrator.domain.session import Session, WantedState
from orchestrator.errors import Conflict, NotFound, NotReady
from orchestrator.lifecycle import changes, forge
from orchestrator.ports.scm import SCM, Claims
from orchestrator.services import spawn
from orchestrator.services.core import Core


async def claim(
    core: Core, project: str, number: int, *, session: SessionId | None = None, by: Actor
) -> Session:
    """Hand pull request `number` over. Raises `Conflict` if it is not open or its branch is elsewhere."""
    name = project_id(project)
    pull = await _find(core, name, number)
    for other in core.fleet.live(name):
        if other.branch == pull.branch and other.id != session and other.wanted.state is not WantedState.STOP:
            raise await _on_its_branch(core, other, number)
    if session is None:
        prompt = f"Take over pull request #{number} ({pull.title}) on branch {pull.branch}."
        return await spawn.spawn(core, spawn.SpawnAsk(project=name, prompt=prompt, claims=pull), by=by)
    mine = core.fleet.get(session)
    if mine.branch != pull.branch:
        msg = f"it works on {mine.branch}, and #{number} is on {pull.branch}."
        raise Conflict(
            msg, session=session, next_step=f"`ao claim {project} {number}` starts a session for it."
        )
    scm = forge.claims(core.fleet, mine)
    there = await forge.look_at_workspace(core.fleet, mine)
    await scm.bring(core.settings.project(name), number)
    claimed = await scm.claim(core.fleet.world.ref(mine), number, there.head)
    changed = await core.fleet.change(session, lambda d: forge.handed_over(d, claimed))
    core.fleet.wake(session)
    return changed


async def _on_its_branch(core: Core, other: Session, number: int) -> Conflict:
    """What to say of a pull request that has the name of another session's branch.

    Raises what the forge says where no session can have it: one from a fork only has the name in common.
    """
    mine = {other.claiming, *(change.pr.number for change in other.changes)}
    if number in mine:
        msg = f"#{number} belongs to {other.id}."
        return Conflict(msg, next_step=f"`ao send {other.id} …` tells its agent what to do.")
    await forge.claims(core.fleet, other).bring(core.settings.project(other.project), number)
    msg = f"#{number} is on {other.branch}, on which {other.id} works, and is not its pull request."
    step = f"`ao claim {other.project} {number} --session {other.id}` hands it over to it."
    return Conflict(msg, next_step=step)


async def _find(core: Core, project: ProjectId, number: int) -> PullRequest:
    name = core.settings.now.parts(project).scm
    scm = core.registry.create(SCM, name, core.settings.options(project, "scm", name))
    if not isinstance(scm, Claims):
        msg = f"{name} cannot hand pull requests over."
        raise NotReady(msg)
    pull = await scm.find(core.settings.project(project), number)
    if pull is None:
        msg = f"{project} has no pull request #{number}."
        raise NotFound(msg)
    if pull.state not in changes.OPEN:
        msg = f"#{number} is {pull.state.value}."
        raise Conflict(msg)
    return pull
