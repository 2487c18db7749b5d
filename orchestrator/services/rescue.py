"""Saved work: what was kept before something was removed. Listed, shown, brought back, dropped."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.ids import ProjectId, SessionId, project_id
from orchestrator.domain.person import Actor
from orchestrator.domain.session import Rescue, Session
from orchestrator.errors import BadInput, NotReady
from orchestrator.ports.rescue import Rescues
from orchestrator.ports.workspace import WORKSPACE
from orchestrator.services import restore as restoring
from orchestrator.services.core import Core

_PARTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """One piece of saved work and whose it is."""

    project: ProjectId
    session: str
    rescue: Rescue


async def ls(core: Core, *, project: str | None = None) -> list[Saved]:
    """All saved work, newest first in each project."""
    names = [project_id(project)] if project else list(core.settings.project_ids)
    found = []
    for name in names:
        keeper = _keeper(core, name)
        kept = await keeper.rescues(core.settings.project(name))
        found += [Saved(project=name, session=_owner(r.ref), rescue=r) for r in kept]
    return found


async def show(core: Core, project: str, ref: str) -> str:
    """What is saved under a ref. Raises `NotFound`."""
    name = project_id(project)
    return await _keeper(core, name).show(core.settings.project(name), ref)


async def restore(core: Core, ref: str, *, by: Actor) -> Session:
    """Restore the session that saved this, starting from it."""
    return await restoring.restore(core, SessionId(_owner(ref)), by=by, rescue=ref)


async def drop(core: Core, project: str, ref: str, *, by: Actor) -> None:
    """Forget saved work for good; the audit log keeps who did it."""
    name = project_id(project)
    await _keeper(core, name).drop(core.settings.project(name), ref)
    await core.audit(by, "rescue drop", SessionId(_owner(ref)), text=ref)


def _keeper(core: Core, project: ProjectId) -> Rescues:
    name = core.settings.parts(project).workspace
    workspace = core.registry.create(WORKSPACE, name, core.settings.options(project, "workspace", name))
    if not isinstance(workspace, Rescues):
        msg = f"the workspace plugin {name} keeps no rescues."
        raise NotReady(msg)
    return workspace


def _owner(ref: str) -> str:
    """The session in `refs/ao/rescue/<session>/<n>`."""
    parts = ref.split("/")
    if len(parts) != _PARTS or parts[:3] != ["refs", "ao", "rescue"]:
        msg = f"{ref!r} is no rescue ref: they look like refs/ao/rescue/demo-4/1."
        raise BadInput(msg)
    return parts[3]
